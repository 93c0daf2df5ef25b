//! Stores that cannot be opened or written: a clear message, the right exit code, nothing changed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::common::{House, PROGRAM, Ran, long, skipped};

/// Every verb that opens a store.
const VERBS: [&[&str]; 50] = [
    &["snapshot", "list"],
    &["snapshot", "save", "s", "--from", "state.json"],
    &["snapshot", "info", "s@latest"],
    &["snapshot", "show", "s@latest"],
    &["snapshot", "restore", "s@latest", "--to", "out.json"],
    &["snapshot", "restore", "s@latest"],
    &["snapshot", "list", "--deleted"],
    &["snapshot", "rename", "s@latest", "n"],
    &["snapshot", "tag", "s@latest", "t"],
    &["snapshot", "pin", "s@latest"],
    &["snapshot", "delete", "s@latest"],
    &["snapshot", "undelete", "n"],
    &["snapshot", "cleanup", "--keep-last", "1"],
    &["rollback", "s"],
    &["undo", "s"],
    &["redo", "s"],
    &["log", "s"],
    &["fork", "s@latest", "t"],
    &["policy", "list"],
    &["guard", "set", "s", "messages"],
    &["guard", "list"],
    &["guard", "status"],
    &["guard", "restore", "s"],
    &["key", "init", "--new-key-file", "key"],
    &["key", "add", "--new-key-file", "key"],
    &["key", "list"],
    &["key", "rotate", "--new-key-file", "key"],
    &["key", "remove", "--all"],
    &["key", "wipe"],
    &["access", "list"],
    &["access", "add", "a", "all=**", "--to", "token"],
    &["access", "set", "a", "all=**"],
    &["access", "token", "a", "--to", "token"],
    &["access", "remove", "a"],
    &["access", "reset"],
    &["audit", "on"],
    &["audit", "off"],
    &["audit", "log"],
    &["audit", "verify"],
    &["audit", "head", "--to", "head"],
    &["backup", "create", "backups"],
    &["session", "erase", "s"],
    &["session", "erased"],
    &["migrate", "rehearse"],
    &["verify"],
    &["repair"],
    &["scrub", "--once"],
    &["export", "--to", "out.json"],
    &["import", "state.json"],
    &["doctor"],
];

/// Every verb refuses the store `path`, and leaves the folder as it is.
fn all_refuse(house: &House, path: &str, code: i32, part: &str) {
    house.write("state.json", "{}");
    let before = (house.names("."), fs::read(house.path(path)).ok());
    for verb in VERBS {
        house
            .run(&[verb, &["--store", path]].concat())
            .refused(code, part);
    }
    assert_eq!((house.names("."), fs::read(house.path(path)).ok()), before);
}

#[test]
fn there_is_none() {
    let house = House::empty();
    all_refuse(
        &house,
        "missing",
        4,
        "there is no store at missing (make one with `init`)",
    );
    all_refuse(
        &house,
        "missing/store.db",
        4,
        "there is no store at missing/store.db",
    );
    fs::create_dir(house.path("folder")).unwrap();
    all_refuse(&house, "folder", 4, "the folder folder holds no store");
    assert!(house.names("folder").is_empty());
    let ran = house.run(&["snapshot", "list", "--store", "missing", "--json"]);
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(4), "not_found"));
}

#[test]
fn something_else_is_there() {
    let house = House::empty();
    house.write(
        "text",
        "this is a text file, not a store, and long enough to have a header of its own\n"
            .repeat(40),
    );
    all_refuse(&house, "text", 2, "no SQLite database");
    house.write("zero.db", "");
    all_refuse(&house, "zero.db", 2, "the file is empty");
    let foreign = rusqlite::Connection::open(house.path("foreign.db")).unwrap();
    foreign
        .execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)")
        .unwrap();
    drop(foreign);
    all_refuse(&house, "foreign.db", 2, "another program's SQLite database");
    house.shell("mkfifo fifo").ok();
    house
        .run(&["snapshot", "list", "--store", "fifo"])
        .refused(2, "not a file");
    house
        .run(&["snapshot", "list", "--store", "/dev/null"])
        .refused(2, "not a file");
}

#[test]
fn a_file_that_was_cut_short() {
    let house = House::new();
    house.save("s", &format!("[{}1]", "\"some text\",".repeat(3000)));
    let whole = fs::read(house.store()).unwrap();
    for length in [50, 1000, 5000, whole.len() / 2] {
        house.write("cut.db", &whole[..length]);
        all_refuse(&house, "cut.db", 6, "damaged");
    }
}

#[test]
fn a_newer_format() {
    let house = House::new();
    fs::copy(house.store(), house.path("newer.db")).unwrap();
    let newer = rusqlite::Connection::open(house.path("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 5).unwrap();
    newer.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(newer);
    all_refuse(
        &house,
        "newer.db",
        1,
        "the store has format 5; this program reads formats 1 to 4",
    );
}

/// A command as somebody whom permissions bind: for the superuser, who they do not bind, as nobody.
fn bound(house: &House, arguments: &[&str]) -> Option<Command> {
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        return Some(house.command(arguments));
    }
    let mut command = house.command(arguments);
    command.uid(NOBODY).gid(NOBODY);
    let mut try_out = Command::new(PROGRAM);
    let runs = try_out.arg("--version").uid(NOBODY).gid(NOBODY).output();
    if !runs.is_ok_and(|output| output.status.success()) {
        skipped("the program is where only the superuser can run it");
        return None;
    }
    for path in [".", ".dalsegno", ".dalsegno/store.db", "state.json"] {
        chown(house.path(path), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    Some(command)
}

#[test]
fn a_store_that_can_only_be_read() {
    for (file, folder) in [(0o400, 0o700), (0o400, 0o500), (0o600, 0o500)] {
        let house = House::new();
        house.save("s", "[1]");
        house.write("state.json", "[2]");
        let before = (house.contents(), fs::read(house.store()).unwrap());
        let mode = |path: &str, mode| {
            fs::set_permissions(house.path(path), fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(".dalsegno/store.db", file);
        mode(".dalsegno", folder);
        let run = |arguments: &[&str]| {
            Some(Ran::of(
                bound(&house, arguments)?
                    .stdin(Stdio::null())
                    .output()
                    .unwrap(),
            ))
        };
        let Some(ran) = run(&["snapshot", "save", "s", "--from", "state.json"]) else {
            return;
        };
        ran.refused(8, "cannot be written");
        run(&["snapshot", "save", "s", "--from", "state.json", "--dry-run"])
            .unwrap()
            .refused(8, "cannot be written");
        run(&["snapshot", "restore", "s@latest", "--to", "state.json"])
            .unwrap()
            .failed(8, "cannot be written");
        assert_eq!(house.read("state.json"), b"[2]");
        // Whatever only reads works.
        run(&["snapshot", "list"]).unwrap().ok().says("3 B");
        run(&["verify"]).unwrap().ok();
        assert_eq!(
            run(&["snapshot", "show", "s@latest"]).unwrap().ok().out,
            b"[1]"
        );
        run(&["doctor"])
            .unwrap()
            .failed(1, "1 problem")
            .says("the store can only be read");
        if folder == 0o500 {
            run(&["init", ".dalsegno/new.db"])
                .unwrap()
                .refused(8, "new.db");
        }
        mode(".dalsegno", 0o700);
        mode(".dalsegno/store.db", 0o600);
        assert_eq!((house.contents(), fs::read(house.store()).unwrap()), before);
    }
}

#[test]
fn a_store_that_cannot_be_read() {
    let house = House::new();
    house.write("state.json", "[2]");
    fs::set_permissions(house.store(), fs::Permissions::from_mode(0o000)).unwrap();
    let Some(mut command) = bound(&house, &["snapshot", "list"]) else {
        return;
    };
    Ran::of(command.output().unwrap()).refused(8, "store.db");
}

/// The engine waits ten seconds for another writer, so this is for the long run.
#[test]
fn a_store_that_another_program_writes() {
    if !long() {
        return;
    }
    let house = House::new();
    house.save("s", "[1]");
    house.write("state.json", "[2]");
    let other = rusqlite::Connection::open(house.store()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let save = ["snapshot", "save", "s", "--from", "state.json"];
    house
        .run(&save)
        .refused(5, "another process is using the store");
    let ran = house.run(&[&save[..], &["--json"]].concat());
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(5), "locked"));
    // Who reads need not wait.
    house.run(&["snapshot", "list"]).ok();
    other.execute_batch("ROLLBACK").unwrap();
    house.run(&save).ok();
}

/// On a small file system of its own, which needs no rights where users may have namespaces.
#[test]
fn a_disk_that_is_full() {
    let house = House::empty();
    let script = "
        mkdir small && mount -t tmpfs -o size=400k tmpfs small || exit 99
        dalsegno init small/store >&2 && export DALSEGNO_STORE=small/store || exit 98
        echo '{\"kept\":1}' | dalsegno snapshot save s >&2 || exit 97
        head -c 600000 /dev/urandom | base64 -w0 | sed 's/.*/\"&\"/' > big.json
        dalsegno snapshot list --json > before.json
        dalsegno snapshot save s --from big.json; echo save $?
        dalsegno snapshot list --json > after.json
        dalsegno verify > /dev/null; echo verify $?
        dalsegno snapshot save s --from big.json --json > /dev/null 2> error.json; echo again $?
        cp small/store/store.db copy.db; rm big.json
        echo '{\"kept\":2}' | dalsegno snapshot save s > /dev/null; echo small $?
        head -c 100000 /dev/zero > small/filler; dd if=/dev/zero of=small/rest bs=1k 2>/dev/null
        dalsegno export --to small/export.json; echo export $?
        dalsegno snapshot restore s@-1 --to small/state.json; echo restore $?
        ls -a small
    ";
    house.write("script", script);
    let ran = house.shell("unshare -rm sh script 2> messages");
    if !matches!(ran.code, Some(0..=96)) {
        return skipped("no file system can be mounted here");
    }
    let messages = String::from_utf8(house.read("messages")).unwrap();
    let text = ran.text();
    assert!(
        text.contains("save 1\nverify 0\nagain 1\nsmall 0\n"),
        "{text}{messages}"
    );
    assert!(messages.contains("the disk is full"), "{messages}");
    assert_eq!(house.read("before.json"), house.read("after.json"));
    assert!(
        String::from_utf8(house.read("error.json"))
            .unwrap()
            .contains("\"kind\":\"storage\"")
    );
    // Neither a torn file nor a staged one stays.
    assert!(text.contains("export 1\n"), "{text}{messages}");
    assert!(
        !text.contains("export.json") && !text.contains(".tmp"),
        "{text}{messages}"
    );
}
