//! Finding the files: all of them at the beginning and now and then, and those that the system tells of.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use dalsegno::Result;
use notify::{RecursiveMode, Watcher};

use crate::event::Event;
use crate::facts::Facts;
use crate::folder::{Found, walk};
use crate::inbox::Notes;
use crate::keep::{self, Kept};
use crate::read::{Look, age, look};
use crate::settle::{File, Moment};
use crate::watch::{POLL, Told, Watch};

pub(crate) const SYMBOLIC_LINK: &str = "it is a symbolic link, which is not followed; what it leads to in the folder is kept under its own name";
pub(crate) const SPECIAL: &str = "it is not a regular file";

impl Watch<'_> {
    /// Finds all files. Those that are as they were kept are done with. With `all`, their sessions are taken too; else
    /// only those are that there is something to save to.
    pub(crate) fn catch_up(&mut self, all: bool, told: Told<'_>) -> Result<()> {
        let sessions = keep::sessions(self.engine)?;
        let sessions: Option<HashSet<String>> = sessions.map(|all| all.into_iter().collect());
        for index in 0..self.folders.len() {
            let root = self.folder(index).to_owned();
            for (path, facts) in self.list(&root, &root, told) {
                let Some(file) = self.know(&path, told) else {
                    continue;
                };
                if let Some(about) = self.about.get_mut(&file) {
                    let all = sessions.as_ref();
                    about.is_new = all.is_some_and(|all| !all.contains(&about.session));
                    if !about.is_new {
                        let newest = keep::newest(self.engine, &about.session)?;
                        let kept = newest.as_ref().and_then(Kept::of);
                        if kept.is_some_and(|kept| kept.facts == Some(facts)) {
                            self.dealt_with(&file, facts);
                            self.settling.known(&file, facts);
                        }
                    }
                }
                let since = self.standing_since(&facts);
                self.settling.seen(&file, Some(facts), since);
            }
        }
        let mut taken_over = 0;
        if all {
            let known = self.about.values().filter(|about| !about.is_new);
            let known = known.map(|about| about.session.clone()).collect();
            // Those that others have open are told of when there is something to save.
            (_, taken_over) = self.take(known)?;
        }
        told(&Event::Watching {
            folders: self.folders.iter().map(|it| it.path.clone()).collect(),
            files: self.about.len(),
            to_read: self.settling.pending().count(),
            taken_over,
        });
        Ok(())
    }

    /// Since when a file stands still, as far as its times tell.
    fn standing_since(&self, facts: &Facts) -> Moment {
        let nanoseconds = age(facts.modified.max(facts.changed)).max(0);
        let age = u64::try_from(nanoseconds).map_or(Moment::MAX, Moment::from_nanos);
        self.inbox.now().saturating_sub(age)
    }

    /// Looks at all files, and again at those that are not found.
    pub(crate) fn look_again(&mut self, told: Told<'_>) {
        let mut missing: HashSet<File> = self.settling.files().cloned().collect();
        for index in 0..self.folders.len() {
            let root = self.folder(index).to_owned();
            for file in self.look_through(&root, &root, told) {
                missing.remove(&file);
            }
        }
        let now = self.inbox.now();
        for file in missing {
            self.settling.happened(&file, now);
        }
    }

    /// Looks at all files below a folder, and gives those there are.
    fn look_through(&mut self, root: &Path, from: &Path, told: Told<'_>) -> Vec<File> {
        let mut files = Vec::new();
        for (path, facts) in self.list(root, from, told) {
            if let Some(file) = self.know(&path, told) {
                let since = self.standing_since(&facts);
                self.settling.seen(&file, Some(facts), since);
                files.push(file);
            }
        }
        files
    }

    /// The files below a folder. Each folder is watched before it is listed, so that nothing comes in between.
    fn list(&mut self, root: &Path, from: &Path, told: Told<'_>) -> Vec<(PathBuf, Facts)> {
        let mut files = Vec::new();
        let mut others = Vec::new();
        let mut unwatched = None;
        let (system, watched) = (&mut self.system, &mut self.watched);
        walk(
            root,
            from,
            &self.settings.selection,
            &mut |found| match found {
                Found::Folder(path) => {
                    if let Some(system) = system {
                        match system.watch(&path, RecursiveMode::NonRecursive) {
                            Ok(()) => {
                                watched.insert(path);
                            }
                            Err(error) if path.exists() => unwatched = Some(error.to_string()),
                            Err(_) => {}
                        }
                    }
                }
                Found::File(path, Look::File(facts)) => files.push((path, facts)),
                Found::File(path, Look::Link) => others.push((path, SYMBOLIC_LINK.to_owned())),
                Found::File(path, Look::Special) => others.push((path, SPECIAL.to_owned())),
                Found::File(..) => {}
                Found::Failed(path, error) => others.push((path, error.to_string())),
            },
        );
        for (path, why) in others {
            self.skip(&path, &why, told);
        }
        if let Some(error) = unwatched {
            self.poll(&error, told);
        }
        files
    }

    /// From now on the folders are looked at again and again.
    pub(crate) fn poll(&mut self, why: &str, told: Told<'_>) {
        if !std::mem::replace(&mut self.polls, true) {
            told(&Event::LookedAgain {
                message: format!(
                    "the system cannot watch all folders ({why}); they are looked at every {} s instead",
                    POLL.as_secs()
                ),
            });
        }
    }

    pub(crate) fn take_notes(&mut self, notes: Notes, told: Told<'_>) {
        for (from, to) in notes.renames {
            self.renames.insert(to, from);
        }
        for (path, (at, may_be_folder)) in notes.paths {
            let Some((root, relative)) = self.place(&path) else {
                continue;
            };
            if self.settings.selection.takes(&relative) {
                if let Some(file) = self.know(&path, told) {
                    self.settling.happened(&file, at);
                }
            } else if may_be_folder && self.settings.selection.enters(&relative) {
                self.folder_changed(&root, &path, at, told);
            }
        }
        self.renames
            .retain(|to, _| self.about.contains_key(to.as_path()));
        if let Some(why) = notes.look_again {
            told(&Event::LookedAgain { message: why });
            self.look_again(told);
        }
    }

    /// A folder came, went or was renamed, or something else of that name did.
    fn folder_changed(&mut self, root: &Path, path: &Path, at: Moment, told: Told<'_>) {
        if self.watched.contains(path) {
            let within = self.settling.files().filter(|file| file.starts_with(path));
            for file in within.cloned().collect::<Vec<_>>() {
                self.settling.happened(&file, at);
            }
        }
        if matches!(look(path), Ok(Look::Folder)) {
            self.look_through(root, path, told);
        } else {
            self.watched.remove(path);
        }
    }

    /// The watched folder that `path` is in, and where there.
    fn place(&self, path: &Path) -> Option<(PathBuf, PathBuf)> {
        self.folders.iter().find_map(|folder| {
            let relative = path.strip_prefix(&folder.path).ok()?;
            Some((folder.path.clone(), relative.to_owned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use dalsegno::Engine;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn what_the_system_did_not_tell_is_found_by_looking_at_all() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::create(home.path().join("store.db")).unwrap();
        let folder = home.path().join("in");
        fs::create_dir_all(folder.join("new")).unwrap();
        for name in ["same", "changed", "gone"] {
            fs::write(folder.join(format!("{name}.json")), "[1]").unwrap();
        }
        let mut events = Vec::new();
        let settings = Settings {
            settle: Duration::from_millis(20),
            ..Settings::default()
        };
        let mut watch = Watch::new(&engine, std::slice::from_ref(&folder), settings).unwrap();
        let mut told = |event: &Event| events.push(serde_json::to_value(event).unwrap());
        // Nothing is told by the system here.
        let settle = |watch: &mut Watch<'_>, told: Told<'_>| {
            while let Some(due) = watch.settling.due() {
                watch.inbox.take(due.saturating_sub(watch.inbox.now()));
                watch.work(told);
            }
        };
        watch.catch_up(true, &mut told).unwrap();
        settle(&mut watch, &mut told);
        fs::write(folder.join("changed.json"), "[1, 2]").unwrap();
        fs::write(folder.join("new/one.json"), "[3]").unwrap();
        fs::remove_file(folder.join("gone.json")).unwrap();
        watch.inbox.look_again("too much happened");
        let notes = watch.inbox.take(Duration::MAX);
        watch.take_notes(notes, &mut told);
        settle(&mut watch, &mut told);
        let of = |kind: &str| {
            let all = events.iter().filter(|event| event["event"] == kind);
            let mut all: Vec<_> = all
                .map(|event| event["session"].as_str().unwrap_or(""))
                .collect();
            all.sort_unstable();
            all
        };
        assert_eq!(of("looked_again"), [""]);
        assert_eq!(
            of("saved"),
            ["changed", "changed", "gone", "new/one", "same"]
        );
        assert_eq!(of("deleted"), ["gone"]);
    }
}
