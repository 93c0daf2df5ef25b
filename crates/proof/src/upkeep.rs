//! Deleting, purging and going back in a store that is damaged, without a look at the damage.

use dalsegno::retention::Rules;
use dalsegno::{Back, Cleanup, Engine, Error, ErrorKind, Purge, Restored};
use jiff::SignedDuration;

use crate::Known;
use crate::truth::Truth;

/// Which of these deeds were done, and which were refused.
#[derive(Debug, Default, Clone, Copy)]
pub struct Upkeep {
    pub done: usize,
    pub refused: usize,
}

impl Upkeep {
    fn count<T>(&mut self, result: Result<T, Error>) {
        match result {
            Ok(_) => self.done += 1,
            Err(_) => self.refused += 1,
        }
    }
}

impl Truth {
    /// Deletes, purges, goes back and cleans up: each is done or refused, and what is there afterwards is
    /// what it was. `sound` is a file whose structure is: then nothing that could be read is lost, but for
    /// what was deleted.
    ///
    /// # Errors
    /// What is wrong, and was given out without an error.
    pub fn keep_house_on_top(
        &self,
        opened: dalsegno::Result<Engine>,
        sound: bool,
    ) -> Result<Upkeep, String> {
        let mut upkeep = Upkeep::default();
        let Ok(engine) = opened else {
            return Ok(upkeep);
        };
        let restore = |known: &Known| engine.restore(&known.snapshot.id.to_string());
        let texts = || -> Vec<Result<Vec<u8>, Error>> {
            let of = |known: &Known| restore(known).map(Restored::into_text);
            self.known.iter().map(of).collect()
        };
        let before = texts();
        let intact = engine.verify(None).is_ok_and(|found| found.is_intact());
        for known in self.known.iter().skip(5).step_by(9) {
            let id = known.snapshot.id.to_string();
            upkeep.count(engine.delete(&[&id], SignedDuration::ZERO));
        }
        upkeep.count(engine.purge(&Purge::Expired, &mut |_| {}));
        for session in ["s/0", "s/1", "s/2"] {
            let back = engine.rollback(session, &Back::Steps(1));
            let back = back.and_then(dalsegno::Restore::apply);
            if let Some(head) = back.as_ref().ok().and_then(|report| report.head.as_ref()) {
                let text = engine.restore(&head.id.to_string());
                let text = text.map(Restored::into_text).ok();
                if !self
                    .known
                    .iter()
                    .any(|known| Some(&known.text) == text.as_ref())
                {
                    return Err(format!("{session} went back to what was never saved"));
                }
            }
            upkeep.count(back);
        }
        for session in ["s/0", "s/1", "s/2"] {
            let plan = engine.cleanup_plan(&Cleanup {
                session: Some(session.to_owned()),
                rules: Some(Rules::new().keep_last(5)),
                purge: true,
                ..Cleanup::default()
            });
            upkeep.count(plan.and_then(|plan| engine.cleanup(&plan, &mut |_| {})));
        }
        for ((known, before), after) in self.known.iter().zip(&before).zip(texts()) {
            let id = known.snapshot.id;
            match (before, after) {
                (_, Ok(text)) if text != known.text => {
                    return Err(format!("another text for {id}"));
                }
                (_, Ok(_)) | (Err(_), Err(_)) => {}
                (Ok(_), Err(error)) => {
                    let lost = error.kind() != ErrorKind::NotFound;
                    if lost && (sound || intact) {
                        return Err(format!("keeping house lost {id}: {error}"));
                    }
                }
            }
        }
        if intact && !engine.verify(None).is_ok_and(|found| found.is_intact()) {
            return Err("keeping house damaged it".to_owned());
        }
        Ok(upkeep)
    }
}
