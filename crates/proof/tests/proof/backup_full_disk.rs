//! A disk gets full, at each step of a backup and of a restore: an error of the kind `Storage`, no backup and no store; with room
//! again, the same call does it.
//!
//! Mounting a small file system takes root; elsewhere that is skipped, and says so.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use dalsegno::{ErrorKind, MakeBackup, RestoreBackup, Secret, list_backups, verify_backup};
use dalsegno_faults::Disk;
use dalsegno_proof::backups::{Kept, go_on};
use dalsegno_proof::{effort, on};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;

/// A file system of its own, with room for 1024 pages.
struct Small {
    folder: TempDir,
}

impl Small {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let flags = MountFlags::empty();
        match mount("tmpfs", folder.path(), "tmpfs", flags, c"size=4m") {
            Ok(()) => Some(Self { folder }),
            Err(error) => {
                println!("skipped: no small file system can be mounted here: {error}");
                None
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Leaves so many pages free.
    fn fill(&self, pages: u64) {
        let mut ballast = File::create(self.path("ballast")).unwrap();
        let page = [1; 4096];
        while ballast.write_all(&page).is_ok() {}
        let length = ballast.metadata().unwrap().len() / 4096 * 4096;
        ballast
            .set_len(length.saturating_sub(4096 * pages))
            .unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.path("ballast")).unwrap();
    }

    /// What is there beside the ballast.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "ballast").collect()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _stays = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}

/// The numbers of pages below `most` to try.
fn rooms(most: u64) -> impl Iterator<Item = u64> {
    let count = effort(6, 200) as u64;
    (0..count).map(move |n| n * most / count)
}

/// What fails where a disk is full.
fn is_full(error: &dalsegno::Error) {
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(!error.to_string().contains("reads back"), "{error}");
}

fn filled(secret: Option<Secret>) -> Kept {
    let mut kept = Kept::new(secret, 5);
    kept.save(100, 6000);
    kept
}

/// Each backup is whole, and there are so many of them.
fn whole(kept: &Kept, folder: &Path, count: usize) {
    let there = list_backups(folder).unwrap();
    assert_eq!(there.complete.len(), count);
    assert!(
        there.unreadable.is_empty() && there.unfinished.len() < 2,
        "{there:?}"
    );
    for backup in there.complete {
        let check = verify_backup(&backup.path, kept.secret.as_ref(), &mut go_on).unwrap();
        assert!(check.is_whole());
    }
}

#[test]
fn a_backup() {
    for secret in [None, Some(Secret::generate().unwrap())] {
        let Some(small) = Small::new() else { return };
        let mut kept = filled(secret);
        let backups = small.path("backups");
        let full = MakeBackup::full(&backups);
        let archive = kept.back_up(&full).unwrap().backup;
        // The first is one of everything, the second of what changed since.
        for incremental in [false, true] {
            let mut base = 0;
            let mut how = full.clone();
            if incremental {
                kept.save(60, 6000);
                how = MakeBackup::incremental(&backups);
                base = 1;
            } else {
                fs::remove_file(&archive.path).unwrap();
            }
            let needed = kept.back_up(&how).unwrap().backup;
            fs::remove_file(&needed.path).unwrap();
            let (mut gone_on, mut failed) = (0, 0);
            for pages in rooms(needed.bytes / 4096 + 2) {
                small.fill(pages);
                let refused = kept.back_up(&how);
                let Err(error) = refused else {
                    // Room for all of it.
                    assert!(pages * 4096 >= needed.bytes, "{pages}");
                    fs::remove_file(refused.unwrap().backup.path).unwrap();
                    small.empty();
                    continue;
                };
                failed += 1;
                is_full(&error);
                whole(&kept, &backups, base);
                // It is full still.
                is_full(&kept.back_up(&how).unwrap_err());
                whole(&kept, &backups, base);
                small.empty();
                let made = kept.back_up(&how).unwrap();
                gone_on += usize::from(made.found_bytes > 0);
                whole(&kept, &backups, base + 1);
                assert!(list_backups(&backups).unwrap().unfinished.is_empty());
                kept.is_exactly(&kept.restored(&made.backup.path)).unwrap();
                fs::remove_file(made.backup.path).unwrap();
            }
            println!("{failed} refused, {gone_on} gone on with");
            assert!(failed > 3 && gone_on > 1, "{failed} {gone_on}");
            kept.back_up(&full).unwrap();
        }
    }
}

/// The store is on the same disk: it may be full when the store is to note that it has a backup more.
#[test]
fn a_backup_on_the_disk_of_its_store() {
    let Some(small) = Small::new() else { return };
    let template = filled(None);
    let store = small.path("store.db");
    let backups = small.path("backups");
    let how = MakeBackup::full(&backups);
    let bytes = template
        .back_up(&MakeBackup::full(template.backups()))
        .unwrap()
        .backup
        .bytes;
    let (mut none, mut complete) = (0, 0);
    for pages in rooms(bytes / 4096 + 40) {
        drop(fs::remove_dir_all(&backups));
        fs::copy(template.store(), &store).unwrap();
        let options = || template.options();
        small.fill(pages);
        let made = options()
            .open(&store)
            .and_then(|engine| engine.back_up(&how, &mut go_on));
        small.empty();
        if let Err(error) = made {
            is_full(&error);
            let said = error.to_string().contains("is complete, but");
            if backups.exists() {
                whole(&template, &backups, usize::from(said));
            }
            complete += usize::from(said);
            none += 1;
        }
        let made = options()
            .open(&store)
            .unwrap()
            .back_up(&how, &mut go_on)
            .unwrap();
        template
            .is_exactly(&template.restored(&made.backup.path))
            .unwrap();
        let known = options().open(&store).unwrap().known_backups().unwrap();
        let there = list_backups(&backups).unwrap().complete;
        assert_eq!(
            known
                .iter()
                .filter(|it| it.path.starts_with(&backups))
                .count(),
            there.len()
        );
        for end in ["-wal", "-shm"] {
            drop(fs::remove_file(format!("{}{end}", store.display())));
        }
    }
    println!("{none} refused, {complete} of them complete");
    assert!(none > 3);
}

#[test]
fn a_restore() {
    for secret in [None, Some(Secret::generate().unwrap())] {
        let Some(small) = Small::new() else { return };
        let kept = filled(secret);
        kept.back_up(&MakeBackup::full(kept.backups())).unwrap();
        let into = small.path("again.db");
        let how = RestoreBackup::of(kept.backups());
        let restore = || kept.options().restore_backup(&how, &into, &mut go_on);
        restore().unwrap();
        let needed = fs::metadata(&into).unwrap().len();
        fs::remove_file(&into).unwrap();
        let mut failed = 0;
        for pages in rooms(needed / 4096) {
            small.fill(pages);
            let error = restore().unwrap_err();
            failed += 1;
            is_full(&error);
            assert_eq!(small.names(), [""; 0], "{pages}");
            small.empty();
            restore().unwrap();
            assert_eq!(small.names(), ["again.db"]);
            kept.is_exactly(&kept.options().open(&into).unwrap())
                .unwrap();
            for name in small.names() {
                fs::remove_file(small.path(&name)).unwrap();
            }
        }
        assert!(failed > 3, "{failed}");
    }
}

/// The disk that SQLite sees gets full, at each step of a restore that is tried.
#[test]
fn a_drill() {
    let kept = filled(None);
    kept.back_up(&MakeBackup::full(kept.backups())).unwrap();
    let disk = Disk::new();
    let drill = |disk: &Disk| on(disk).drill(kept.backups(), None, &mut go_on);
    assert!(drill(&disk).unwrap().verification.is_intact());
    let needed = disk.used();
    let mut failed = 0;
    for n in rooms(needed as u64 / 4096) {
        let disk = Disk::new();
        disk.set_capacity(usize::try_from(n).unwrap() * 4096);
        let error = drill(&disk).unwrap_err();
        is_full(&error);
        failed += 1;
        disk.set_capacity(None);
        assert!(drill(&disk).unwrap().verification.is_intact());
    }
    assert!(failed > 3, "{failed}");
}
