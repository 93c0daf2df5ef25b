//! Readers that leave, disks that end, and Ctrl-C.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::common::{House, Ran};

fn full() -> House {
    let house = House::new();
    for n in 0..40 {
        house.save(
            "s",
            &format!("{{\"n\":{n},\"text\":\"{}\"}}", "filling ".repeat(9000 + n)),
        );
    }
    house
}

/// Runs it with a standard output that nobody reads any more.
fn unread(house: &House, arguments: &[&str]) -> Ran {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = house.command(arguments);
    Ran::of(
        command
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap(),
    )
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let house = full();
    for command in [
        "snapshot list",
        "snapshot list --json",
        "snapshot show s@latest",
        "snapshot show s@latest --pretty",
        "snapshot info s@latest",
        "export",
        "verify",
        "doctor",
        "--help",
    ] {
        let arguments: Vec<_> = command.split(' ').collect();
        let ran = unread(&house, &arguments).ok();
        assert_eq!(ran.err, "", "{command}");
    }
    let script = "dalsegno snapshot list | head -1; dalsegno export | head -c 20";
    let ran = house.shell(script).ok();
    assert_eq!(ran.err, "");
    assert!(ran.text().starts_with("ID"));
}

#[test]
fn a_deed_is_done_though_nobody_reads_of_it() {
    let house = full();
    let restore = ["snapshot", "restore", "s@-5", "--to", "out.json"];
    unread(&house, &restore).ok();
    let old = house.run(&["snapshot", "show", "s@-5"]).ok();
    assert_eq!(house.read("out.json"), old.out);
    house.write("state.json", "[1]");
    let save = ["snapshot", "save", "t", "--from", "state.json", "--json"];
    unread(&house, &save).ok();
    assert_eq!(
        house.run(&["snapshot", "show", "t@latest"]).ok().text(),
        "[1]"
    );
    unread(&house, &["export", "--to", "all.json"]).ok();
    unread(&house, &["init", "other"]).ok();
    unread(&house, &["import", "all.json", "--store", "other"]).ok();
    house
        .run(&["verify", "--store", "other"])
        .ok()
        .says("41 snapshots of 2 sessions");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let house = full();
    for command in [
        &["snapshot", "list"][..],
        &["snapshot", "show", "s@latest"],
        &["export"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = house
            .command(command)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        Ran::of(output).failed(1, "No space left");
    }
}

#[test]
fn what_is_done_and_cannot_be_told_is_said_with_what_it_was() {
    let house = House::new();
    for n in 0..5 {
        house.save("s", &format!("[{n}]"));
    }
    let full = |command: &str| {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = house.command(&command.split(' ').collect::<Vec<_>>());
        let output = command.stdout(full).stderr(Stdio::piped()).output();
        Ran::of(output.unwrap())
    };
    // The plan is told before anything is done.
    let before = house.contents();
    full("rollback s").failed(1, "No space left");
    full("snapshot delete s@latest --dry-run").failed(1, "No space left");
    assert_eq!(house.contents(), before);
    for (command, told) in [
        ("snapshot delete s@-4", "in the trash for 7 days"),
        ("snapshot pin s@-1", "pinned"),
        ("fork s@-1 t", "t begins as"),
        ("policy set s --keep-last 3", "goes by it from now on"),
        ("audit on", "stands in it from now on"),
        ("audit head --to head", "wrote the head of the audit log"),
        ("access reset", "everybody may do everything"),
        ("snapshot cleanup --older-than 1ms", "moved to the trash"),
        ("export --to all.json", "to all.json"),
    ] {
        let ran = full(command).failed(3, "it is done, but could not be told: writing the output");
        ran.explains("No space left").explains(told);
    }
    for command in ["snapshot restore s@-1", "undo s", "rollback s"] {
        let ran = full(&format!("{command} --json"));
        let (kind, message) = ran.error();
        assert_eq!((ran.code, &*kind), (Some(3), "partly_done"), "{ran}");
        assert!(message.contains("\"dry_run\":false"), "{ran}");
    }
}

pub(crate) fn interrupt(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

#[test]
fn a_scrub_that_is_interrupted_has_proved_nothing() {
    let house = House::new();
    for session in ["a", "b"] {
        house.save(session, &format!("\"{}\"", "long ".repeat(200)));
    }
    // It rests for a quarter of an hour after the first session.
    let mut command = house.command(&["scrub", "--once", "--rate", "1"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let threads = std::path::PathBuf::from(format!("/proc/{}/task", child.id()));
    let is_at_work = || {
        let each = std::fs::read_dir(&threads).unwrap();
        let names = each.map(|it| std::fs::read_to_string(it.unwrap().path().join("comm")));
        names.flatten().any(|name| name.trim() == "dalsegno-scrub")
    };
    while !is_at_work() {
        std::thread::yield_now();
    }
    interrupt(child.id());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{ran}");
    ran.explains("stopped at ").explains("interrupted");
    assert!(ran.out.is_empty(), "{ran}");
}

#[test]
fn an_interrupt_is_130() {
    let house = House::new();
    let mut command = house.command(&["demo-writer", "--step", "0"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Once it has said something it is at work.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    interrupt(child.id());
    for line in lines {
        line.unwrap();
    }
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (Some(130), "dalsegno: interrupted\n")
    );
    house.run(&["verify"]).ok();
}

#[test]
fn an_interrupted_export_takes_its_staged_file_away() {
    let house = full();
    // The export may be faster than the signal; then it is tried again.
    for _ in 0..50 {
        let mut command = house.command(&["export", "--to", "out.json"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let staged = || house.names(".").iter().any(|name| name.ends_with(".tmp"));
        while !staged() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        interrupt(child.id());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert!(!staged(), "{ran}");
        if ran.code == Some(130) {
            assert_eq!(ran.err, "dalsegno: interrupted\n");
            assert_eq!(house.names("."), [".dalsegno"]);
            return;
        }
        assert_eq!(ran.code, Some(0), "{ran}");
        std::fs::remove_file(house.path("out.json")).unwrap();
    }
    panic!("no export was interrupted");
}
