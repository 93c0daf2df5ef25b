//! Which path is which file: now, and after a power loss.

use std::collections::BTreeMap;

use crate::file::FileId;

/// What a path has stood for since its directory was last synced.
#[derive(Debug, Default)]
struct Name {
    durable: Option<FileId>,
    /// Creations and deletions since, oldest first.
    later: Vec<Option<FileId>>,
}

impl Name {
    fn live(&self) -> Option<FileId> {
        self.later.last().copied().unwrap_or(self.durable)
    }
}

/// The directory entries of a disk.
#[derive(Debug, Default)]
pub(crate) struct Names {
    names: BTreeMap<String, Name>,
}

impl Names {
    pub(crate) fn live(&self, path: &str) -> Option<FileId> {
        self.names.get(path).and_then(Name::live)
    }

    /// All paths that exist now.
    pub(crate) fn live_paths(&self) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .filter(|(_, name)| name.live().is_some())
            .map(|(path, _)| path.as_str())
    }

    /// A new file, or none, at this path; a power loss may still undo it.
    pub(crate) fn set(&mut self, path: &str, file: Option<FileId>) {
        let name = self.names.entry(path.to_owned()).or_default();
        name.later.push(file);
    }

    /// As `set`, but safe at once.
    pub(crate) fn set_durable(&mut self, path: &str, file: Option<FileId>) {
        let later = Vec::new();
        let durable = file;
        self.names.insert(path.to_owned(), Name { durable, later });
        self.forget_unused();
    }

    /// The file was synced, and its creation with it. What happened to the path since is pending.
    pub(crate) fn sync_file(&mut self, path: &str, file: FileId) {
        let Some(name) = self.names.get_mut(path) else {
            return;
        };
        if let Some(at) = name.later.iter().rposition(|f| *f == Some(file)) {
            name.durable = Some(file);
            name.later.drain(..=at);
        }
    }

    /// All that happened in the directory of this path is durable.
    pub(crate) fn sync_directory_of(&mut self, path: &str) {
        let synced = directory(path);
        for (path, name) in &mut self.names {
            if directory(path) == synced {
                name.durable = name.live();
                name.later.clear();
            }
        }
        self.forget_unused();
    }

    /// All that happened to any path is durable.
    pub(crate) fn sync_all(&mut self) {
        for name in self.names.values_mut() {
            name.durable = name.live();
            name.later.clear();
        }
        self.forget_unused();
    }

    /// Whether any path is, was or may become this file again.
    pub(crate) fn mention(&self, file: FileId) -> bool {
        let file = Some(file);
        self.names
            .values()
            .any(|name| name.durable == file || name.later.contains(&file))
    }

    /// Whether a path is this file now.
    pub(crate) fn name_now(&self, file: FileId) -> bool {
        self.names.values().any(|name| name.live() == Some(file))
    }

    /// What each path may be after a power loss: what is durable, and then every later state.
    pub(crate) fn histories(&self) -> impl Iterator<Item = (&str, Vec<Option<FileId>>)> {
        self.names.iter().map(|(path, name)| {
            let mut states = vec![name.durable];
            states.extend(&name.later);
            (path.as_str(), states)
        })
    }

    fn forget_unused(&mut self) {
        self.names
            .retain(|_, name| name.durable.is_some() || !name.later.is_empty());
    }
}

fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(names: &Names, path: &str) -> Vec<Option<FileId>> {
        let found = names.histories().find(|(p, _)| *p == path);
        found.map(|(_, states)| states).unwrap_or_default()
    }

    #[test]
    fn a_created_file_is_durable_when_it_is_synced() {
        let mut names = Names::default();
        names.set("d/a", Some(1));
        assert_eq!(states(&names, "d/a"), [None, Some(1)]);
        names.sync_file("d/a", 1);
        assert_eq!(states(&names, "d/a"), [Some(1)]);
    }

    #[test]
    fn a_deleted_file_may_come_back_until_its_directory_is_synced() {
        let mut names = Names::default();
        names.set_durable("d/a", Some(1));
        names.set("d/a", None);
        assert_eq!(names.live("d/a"), None);
        assert_eq!(states(&names, "d/a"), [Some(1), None]);
        names.sync_directory_of("e/b");
        assert!(names.mention(1));
        names.sync_directory_of("d/b");
        assert!(!names.mention(1));
        assert_eq!(states(&names, "d/a"), []);
    }

    #[test]
    fn the_sync_of_a_new_file_replaces_the_old_one_of_its_path() {
        let mut names = Names::default();
        names.set_durable("a", Some(1));
        names.set("a", None);
        names.set("a", Some(2));
        names.set("a", None);
        names.sync_file("a", 2);
        assert_eq!(states(&names, "a"), [Some(2), None]);
        assert!(!names.name_now(2));
        assert_eq!(names.live_paths().count(), 0);
    }
}
