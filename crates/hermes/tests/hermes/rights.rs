//! Where the operating system says no. Root is never told so: the test runs itself again as somebody else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use dalsegno::ErrorKind;
use dalsegno_hermes::{Count, Unreadable, count, inspect, recover, recover_all, save};

use crate::common::{House, is_root, session};

const FOLDER: &str = "DALSEGNO_HERMES_RIGHTS";
const SOMEBODY: u32 = 65_534;

fn give(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_is_left_and_named() {
    let house = House::new();
    let program = house.path("tests");
    if is_root() {
        chown(house.folder(), Some(SOMEBODY), Some(SOMEBODY)).unwrap();
        // Where it stands now, others may not reach it.
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        give(&program, 0o755);
    }
    let mut command = if is_root() {
        let mut command = Command::new(&program);
        command.uid(SOMEBODY).gid(SOMEBODY);
        command
    } else {
        Command::new(std::env::current_exe().unwrap())
    };
    let folder = house.path("sessions");
    fs::create_dir(&folder).unwrap();
    if is_root() {
        chown(&folder, Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    }
    let ran = command
        .args(["--exact", "rights::as_somebody", "--ignored", "--nocapture"])
        .env(FOLDER, &folder)
        .current_dir("/")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "started by the test above, as somebody without rights"]
fn as_somebody() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let write = |name: &str, text: Vec<u8>| {
        fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    let denied = write("denied.json", session(1));
    write("denied.json.bak", session(5));
    write("fine.json", session(1));
    write("fine.json.bak", session(5));
    give(&denied, 0o000);
    assert_eq!(count(&denied), Count::Unreadable(Unreadable::Denied));
    let status = inspect(&denied).unwrap();
    assert_eq!(
        (status.live_messages.to_i64(), status.bak_messages.to_i64()),
        (-1, 5)
    );
    // Not at the start …
    let scan = recover_all(&folder).unwrap();
    assert_eq!((scan.scanned, scan.restored, scan.skipped.len()), (2, 1, 1));
    assert_eq!(scan.skipped[0].error.kind(), ErrorKind::Denied);
    // … nor by a save, which cannot tell what would be lost …
    assert_eq!(
        save(&denied, &session(1)).unwrap_err().kind(),
        ErrorKind::Denied
    );
    assert_eq!(count(&denied), Count::Unreadable(Unreadable::Denied));
    // … but where it is asked for, and what was there can be kept.
    let recovery = recover(&denied).unwrap();
    assert!(recovery.restored, "{recovery:?}");
    let kept = recovery.displaced.unwrap();
    give(&kept, 0o600);
    assert_eq!(fs::read(&kept).unwrap(), session(1));
    give(&denied, 0o600);
    assert_eq!(fs::read(&denied).unwrap(), session(5));

    // A backup that may not be read is none that could be restored.
    write("fine.json", session(1));
    give(&folder.join("fine.json.bak"), 0o000);
    let status = inspect(&folder.join("fine.json")).unwrap();
    assert_eq!(
        (status.live_messages.to_i64(), status.bak_messages.to_i64()),
        (1, -1)
    );
    give(&folder.join("fine.json.bak"), 0o600);

    // A folder that may not be written.
    let names = crate::common::names(&folder);
    give(&folder, 0o500);
    let recovery = recover(&folder.join("fine.json")).unwrap();
    assert!(!recovery.restored);
    assert_eq!(recovery.error.unwrap().kind(), ErrorKind::Denied);
    assert_eq!(recover_all(&folder).unwrap().skipped.len(), 1);
    assert_eq!(
        save(&folder.join("fine.json"), &session(0))
            .unwrap_err()
            .kind(),
        ErrorKind::Denied
    );
    give(&folder, 0o700);
    assert_eq!(crate::common::names(&folder), names);
    assert_eq!(fs::read(folder.join("fine.json")).unwrap(), session(1));

    // One that may not be entered.
    give(&folder, 0o000);
    assert_eq!(count(&denied), Count::Unreadable(Unreadable::Denied));
    assert_eq!(inspect(&denied).unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(recover_all(&folder).unwrap_err().kind(), ErrorKind::Denied);
    give(&folder, 0o700);
}
