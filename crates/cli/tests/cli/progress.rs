//! Progress is for people at a terminal, and leaves nothing behind.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::common::House;

/// A terminal of 100 columns: the side of whoever looks at it, and the program's.
pub(crate) fn terminal() -> (File, OwnedFd) {
    let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&outside).unwrap();
    unlockpt(&outside).unwrap();
    let name = ptsname(&outside, Vec::new()).unwrap();
    let inside = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let size = Winsize {
        ws_row: 30,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&inside, size).unwrap();
    (File::from(outside), inside)
}

/// Everything that comes out of the terminal until the program has let go of it.
pub(crate) fn shown(mut outside: File) -> String {
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    // Once nobody has the other side, Linux says that it cannot be read.
    while let Ok(count @ 1..) = outside.read(&mut part) {
        seen.extend_from_slice(&part[..count]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// What the lines of a terminal show after all that was written: each but its last overwriting.
fn left(shown: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        let line = lines.last_mut().unwrap();
        match c {
            '\n' => lines.push(String::new()),
            '\r' => line.push('\r'),
            '\u{1b}' => {
                let mut code = String::new();
                while !code.ends_with(|c: char| c.is_ascii_alphabetic()) {
                    code.extend(rest.next());
                }
                if code == "[2K" {
                    line.clear();
                }
            }
            c => line.push(c),
        }
    }
    let last = |line: String| {
        line.trim_end_matches('\r')
            .rsplit('\r')
            .next()
            .unwrap_or("")
            .to_owned()
    };
    let lines = lines.into_iter().map(last);
    lines.filter(|line| !line.is_empty()).collect()
}

fn start(house: &House, arguments: &[&str], out: Option<&OwnedFd>, err: &OwnedFd) -> Child {
    let mut command = house.command(arguments);
    command.env("TERM", "xterm").stdin(Stdio::null());
    match out {
        Some(out) => command.stdout(out.try_clone().unwrap()),
        None => command.stdout(Stdio::null()),
    };
    command.stderr(err.try_clone().unwrap()).spawn().unwrap()
}

/// Runs it at a terminal; gives the exit code and what was shown.
fn at_terminal(house: &House, arguments: &[&str]) -> (Option<i32>, String) {
    let (outside, inside) = terminal();
    let mut child = start(house, arguments, Some(&inside), &inside);
    drop(inside);
    let seen = shown(outside);
    (child.wait().unwrap().code(), seen)
}

fn full() -> House {
    let house = House::new();
    for n in 0..30 {
        house.save(&format!("s/{}", n % 10), &format!("[{n}]"));
    }
    house
}

#[test]
fn long_work_shows_how_far_it_is_and_takes_the_bar_away() {
    let house = full();
    let (other, all) = (House::new(), "all.json");
    for (house, arguments, bar, answer) in [
        (
            &house,
            &["verify"][..],
            "/10 sessions",
            "all is as it was saved",
        ),
        (
            &house,
            &["export", "--to", all],
            " snapshots",
            "wrote 30 snapshots",
        ),
        (
            &other,
            &["import", all],
            "/30 snapshots",
            "added 30 snapshots",
        ),
        (
            &house,
            &["stats", "--rebuild", "5"],
            "/10 sessions",
            "snapshots",
        ),
    ] {
        if arguments[0] == "import" {
            other.write(all, full().run(&["export"]).ok().out);
        }
        let (code, seen) = at_terminal(house, arguments);
        assert_eq!(code, Some(0), "{seen:?}");
        let (before, _) = seen.split_once(answer).unwrap();
        assert!(before.contains(bar), "{arguments:?}: {seen:?}");
        let left = left(&seen);
        let first = left.first().unwrap();
        assert!(
            first.contains(answer),
            "{arguments:?}: {left:?} of {seen:?}"
        );
    }
}

#[test]
fn a_watch_shows_how_much_it_saved_below_what_it_tells() {
    let house = House::new();
    std::fs::create_dir(house.path("in")).unwrap();
    house.write("in/a.json", "1");
    let (code, seen) = at_terminal(&house, &["watch", "in", "--once"]);
    assert_eq!(code, Some(0), "{seen:?}");
    // Not of how many: files that come later are no part of what there was at the beginning.
    assert!(seen.contains(" 1 saved  a"), "{seen:?}");
    let left = left(&seen);
    let parts = ["watching 1 file", "saved", "ended: 1 file, 1 saved"];
    assert_eq!(left.len(), parts.len(), "{left:?} of {seen:?}");
    for (line, part) in left.iter().zip(parts) {
        assert!(
            line.contains(part) && !line.contains("saved  a"),
            "{left:?} of {seen:?}"
        );
    }
}

#[test]
fn nothing_is_drawn_for_programs_and_pipes() {
    let house = full();
    let (code, seen) = at_terminal(&house, &["verify", "--json"]);
    assert_eq!((code, seen.lines().count()), (Some(0), 1), "{seen:?}");
    assert!(seen.starts_with("{\"intact\":true"), "{seen:?}");
    // The answer goes into a pipe, the terminal has standard error alone.
    let (outside, inside) = terminal();
    let mut child = start(&house, &["verify"], None, &inside);
    drop(inside);
    assert_eq!(shown(outside), "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let piped = house.run(&["verify"]).ok();
    assert_eq!(piped.err, "");
    // An export that is printed draws nothing into itself.
    let (_, seen) = at_terminal(&house, &["export", "--session", "s/1"]);
    assert!(seen.starts_with("{\"dalsegno_export\""), "{seen:?}");
}

#[test]
fn an_error_stands_alone() {
    let house = full();
    let store = rusqlite::Connection::open(house.store()).unwrap();
    store
        .execute(
            "UPDATE snapshot SET size = size + 1 WHERE seq = (SELECT max(seq) FROM snapshot)",
            (),
        )
        .unwrap();
    drop(store);
    let (code, seen) = at_terminal(&house, &["export", "--to", "all.json"]);
    assert_eq!(code, Some(6), "{seen:?}");
    let left = left(&seen);
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        left[0].starts_with("dalsegno: the row of snapshot"),
        "{left:?}"
    );
}

#[test]
fn an_interrupt_leaves_its_message_alone() {
    let house = House::new();
    for n in 0..60 {
        let text = "filling ".repeat(40_000 + n);
        house.save(&format!("s/{n}"), &format!("\"{text}\""));
    }
    // It may be faster than the signal; then it is tried again.
    for _ in 0..50 {
        let (mut outside, inside) = terminal();
        let mut child = start(&house, &["verify"], Some(&inside), &inside);
        drop(inside);
        // Something is drawn: it is at work.
        let mut first = [0; 64];
        let count = outside.read(&mut first).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        let seen = String::from_utf8_lossy(&first[..count]).into_owned() + &shown(outside);
        if child.wait().unwrap().code() == Some(130) {
            assert_eq!(left(&seen), ["dalsegno: interrupted"], "{seen:?}");
            return;
        }
    }
    panic!("no verify was interrupted");
}
