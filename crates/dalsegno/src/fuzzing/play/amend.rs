//! What is said of a snapshot changes.

use super::super::verb::Ref;
use super::Stage;
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};
use crate::model::Snapshot;

impl Stage {
    pub(super) fn rename(&mut self, reference: &Ref, name: Option<&'static str>) {
        let reference = self.text_of(reference);
        if let (Ok(at), Some(name)) = (self.model.resolve(&reference), name) {
            let snapshot = &self.model.states[at].snapshot;
            if snapshot.name.as_deref() != Some(name)
                && self.model.is_taken(&snapshot.session, name)
            {
                let answer = self.engine().rename(&reference, Some(name));
                return self.refused(answer, ErrorKind::Conflict, &reference);
            }
        }
        self.amend(
            &reference,
            &|engine, reference| engine.rename(reference, name),
            &|snapshot| snapshot.name = name.map(str::to_owned),
        );
    }

    pub(super) fn tag(&mut self, reference: &Ref, tags: &[&'static str]) {
        let reference = self.text_of(reference);
        self.amend(
            &reference,
            &|engine, reference| engine.tag(reference, tags),
            &|snapshot| {
                for tag in tags {
                    if !snapshot.tags.iter().any(|there| there == tag) {
                        snapshot.tags.push((*tag).to_owned());
                    }
                }
            },
        );
    }

    pub(super) fn untag(&mut self, reference: &Ref, tags: &[&'static str]) {
        let reference = self.text_of(reference);
        self.amend(
            &reference,
            &|engine, reference| engine.untag(reference, tags),
            &|snapshot| snapshot.tags.retain(|tag| !tags.iter().any(|t| t == tag)),
        );
    }

    pub(super) fn pin(&mut self, reference: &Ref, pinned: bool) {
        let reference = self.text_of(reference);
        self.amend(
            &reference,
            &|engine, reference| engine.pin(reference, pinned),
            &|snapshot| snapshot.pinned = pinned,
        );
    }

    fn amend(
        &mut self,
        reference: &str,
        ask: &dyn Fn(&Engine, &str) -> Result<Snapshot>,
        change: &dyn Fn(&mut Snapshot),
    ) {
        let answer = ask(self.engine(), reference);
        let at = match self.model.resolve(reference) {
            Ok(at) => at,
            Err(expected) => return self.refused(answer, expected, reference),
        };
        let mut expected = self.model.states[at].snapshot.clone();
        change(&mut expected);
        if answer.is_err() && self.faults.burnt() {
            self.crash();
            let there = self.engine().info(&expected.id.to_string()).unwrap();
            let before = &self.model.states[at].snapshot;
            assert!(there == *before || there == expected, "neither old nor new");
            self.model.states[at].snapshot = there;
            return;
        }
        assert_eq!(answer.unwrap(), expected);
        self.model.states[at].snapshot = expected;
    }
}
