//! A file system that is really full, at each step: a small one in memory, filled up byte by byte.
//!
//! Mounting it takes root; elsewhere this is skipped, and says so.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use dalsegno::ErrorKind;
use dalsegno_hermes::{Count, count, recover, recover_all, save};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

use crate::common::{names, session};

/// A file system with room for 100 pages, or for fewer names.
struct Small {
    folder: TempDir,
}

impl Small {
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = std::ffi::CString::new(options).unwrap();
        match mount(
            "tmpfs",
            folder.path(),
            "tmpfs",
            MountFlags::empty(),
            options.as_c_str(),
        ) {
            Ok(()) => Some(Self { folder }),
            Err(error) => {
                eprintln!("skipped: no small file system can be mounted here: {error}");
                None
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Leaves so many pages free.
    fn fill(&self, pages: usize) {
        let mut ballast = File::create(self.path("ballast")).unwrap();
        let page = [1; 4096];
        while ballast.write_all(&page).is_ok() {}
        let length = ballast.metadata().unwrap().len() / 4096 * 4096;
        ballast
            .set_len(length.saturating_sub(4096 * pages as u64))
            .unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.path("ballast")).unwrap();
    }

    fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _stays = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}

/// A session of so many messages, which take a page each.
fn large(messages: usize) -> Vec<u8> {
    let message = "m".repeat(4093);
    let list = vec![message; messages];
    serde_json::to_vec(&serde_json::json!({ "messages": list })).unwrap()
}

fn is(path: &Path, text: &[u8]) -> bool {
    fs::read(path).is_ok_and(|there| there == text)
}

#[test]
fn a_restore_with_any_room_is_whole_or_nothing() {
    let Some(small) = Small::new("size=400k") else {
        return;
    };
    let (path, backup) = (small.path("1.json"), small.path("1.json.bak"));
    let (mut failed, mut done) = (0, 0);
    for live in [
        Some(large(2)),
        Some(b"torn".to_vec()),
        Some(Vec::new()),
        None,
    ] {
        for pages in 0..16 {
            for name in small.names() {
                fs::remove_file(small.path(&name)).unwrap();
            }
            fs::write(&backup, large(10)).unwrap();
            if let Some(live) = &live {
                fs::write(&path, live).unwrap();
            }
            small.fill(pages);
            let before = small.names();
            let recovery = recover(&path).unwrap();
            if recovery.restored {
                assert!(is(&path, &large(10)));
                done += 1;
            } else {
                let error = recovery.error.unwrap();
                assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
                assert!(error.to_string().contains("No space left"), "{error}");
                assert_eq!(fs::read(&path).ok(), live);
                assert_eq!(small.names(), before, "something stays behind");
                failed += 1;
            }
            assert!(is(&backup, &large(10)));
            // With room, it is put right.
            small.empty();
            recover_all(small.folder.path()).unwrap();
            if live.is_some() {
                assert!(is(&path, &large(10)));
            }
        }
    }
    println!("{failed} failed, {done} done");
    assert!(failed >= 40 && done >= 12, "{failed} failed, {done} done");
}

#[test]
fn a_save_with_any_room_keeps_the_file_or_its_backup() {
    let Some(small) = Small::new("size=400k") else {
        return;
    };
    let (path, backup) = (small.path("1.json"), small.path("1.json.bak"));
    let [mut whole, mut backed, mut nothing] = [0; 3];
    for old_backup in [None, Some(session(3))] {
        for pages in 0..26 {
            for name in small.names() {
                fs::remove_file(small.path(&name)).unwrap();
            }
            fs::write(&path, large(10)).unwrap();
            if let Some(text) = &old_backup {
                fs::write(&backup, text).unwrap();
            }
            small.fill(pages);
            let before = small.names();
            let saved = save(&path, &large(9));
            if let Err(error) = &saved {
                assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
                assert!(is(&path, &large(10)), "{error}");
            } else {
                assert!(is(&path, &large(9)));
                assert!(is(&backup, &large(10)));
                whole += 1;
            }
            if saved.is_err() && is(&backup, &large(10)) {
                backed += 1;
            } else if let Err(error) = &saved {
                assert!(
                    error.to_string().contains("for lack of a backup"),
                    "{error}"
                );
                assert_eq!(fs::read(&backup).ok(), old_backup);
                assert_eq!(small.names(), before);
                nothing += 1;
            }
            let extra: Vec<String> = small.names();
            assert!(extra.iter().all(|name| !name.contains("tmp")), "{extra:?}");
        }
    }
    println!("{whole} saved, {backed} with the backup alone, {nothing} refused");
    assert!(
        whole >= 4 && backed >= 4 && nothing >= 4,
        "{whole} {backed} {nothing}"
    );
}

#[test]
fn a_file_system_without_room_for_names_is_refused_too() {
    let Some(small) = Small::new("size=400k,nr_inodes=8") else {
        return;
    };
    let path = small.path("1.json");
    fs::write(&path, large(1)).unwrap();
    fs::write(small.path("1.json.bak"), large(2)).unwrap();
    let mut number = 0;
    while File::create(small.path(&format!("n{number}"))).is_ok() {
        number += 1;
    }
    let recovery = recover(&path).unwrap();
    assert!(!recovery.restored && recovery.error.is_some());
    assert_eq!(count(&path), Count::Messages(1));
    assert!(save(&path, &large(0)).is_err());
    assert!(is(&path, &large(1)));
    // A second name needs one as well; then what stands there is copied, or nothing is done.
    for spare in 1..4 {
        if number >= spare {
            fs::remove_file(small.path(&format!("n{}", number - spare))).unwrap();
        }
        if recover(&path).unwrap().restored {
            break;
        }
        assert_eq!(count(&path), Count::Messages(1));
    }
    assert!(small.names().iter().all(|name| !name.contains("tmp")));
}
