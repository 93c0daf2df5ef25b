//! Files that go on under another name.

use std::collections::HashMap;
use std::sync::Arc;

use dalsegno::Result;

use crate::facts::Facts;
use crate::keep::{self, Kept};
use crate::read::{Look, look};
use crate::settle::File;
use crate::watch::Watch;

impl Watch<'_> {
    /// The session that a file was under another name, where that is known.
    pub(crate) fn renamed_from(
        &mut self,
        file: &File,
        facts: &Facts,
        is_new: bool,
    ) -> Result<Option<String>> {
        let told = self.renames.remove(&**file);
        let by_name = told.and_then(|from| self.about.get_key_value(from.as_path()));
        let by_name = by_name.map(|(from, _)| Arc::clone(from));
        let by_name = by_name.filter(|from| self.settling.done(from).is_some());
        let other = self.inodes.get(&facts.inode).filter(|other| *other != file);
        let by_inode = other.filter(|other| {
            let before = self.settling.done(other);
            before.is_some_and(|before| before.is_renamed(facts))
                && matches!(look(other), Ok(Look::Nothing))
        });
        let from = by_name.or_else(|| by_inode.cloned());
        if let Some(about) = from.and_then(|from| self.about.get_mut(&from)) {
            about.moved_on = true;
            return Ok(Some(about.session.clone()));
        }
        if !is_new {
            return Ok(None);
        }
        if self.orphans.is_none() {
            self.orphans = Some(self.find_orphans()?);
        }
        let orphan = self.orphans.as_ref().and_then(|all| all.get(&facts.inode));
        let orphan = orphan.filter(|(_, before)| before.is_renamed(facts));
        Ok(orphan.map(|(session, _)| session.clone()))
    }

    /// Sessions of these folders whose files are gone.
    fn find_orphans(&self) -> Result<HashMap<u64, (String, Facts)>> {
        let mut orphans = HashMap::new();
        for session in keep::sessions(self.engine)?.unwrap_or_default() {
            let newest = keep::newest(self.engine, &session)?;
            let Some(Kept {
                place,
                facts: Some(facts),
            }) = newest.as_ref().and_then(Kept::of)
            else {
                continue;
            };
            let ours = self
                .folders
                .iter()
                .any(|folder| folder.path == place.folder);
            let path = place.folder.join(&place.relative);
            if ours && matches!(look(&path), Ok(Look::Nothing)) {
                orphans.insert(facts.inode, (session, facts));
            }
        }
        Ok(orphans)
    }
}
