//! What a command gets, how it may end, and that nothing of it stays.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use dalsegno_hooks::Failure;
use serde_json::Value;

use crate::house::{House, LONG, event};

#[test]
fn a_command_gets_the_event_as_one_line() {
    let house = House::new();
    let started = house.start(&House::shell("cat > got; echo \"$DALSEGNO_HOOK\" >> got"));
    started.send("e1");
    assert_eq!(started.outcome().result, Ok(()));
    let got = fs::read_to_string(house.path("got")).unwrap();
    let (line, word) = got.split_once('\n').unwrap();
    assert_eq!(serde_json::from_str::<Value>(line).unwrap(), event("e1"));
    assert_eq!(word, "restored\n");
}

#[test]
fn words_are_arguments_and_no_shell_sees_them() {
    let house = House::new();
    let text = "[[hook]]\nevents = ['*']\ncommand = ['touch', '$(touch a);b', '--', '*']\n";
    let started = house.start(text);
    started.send("e1");
    assert_eq!(started.outcome().result, Ok(()));
    assert!(house.path("$(touch a);b").exists() && house.path("*").exists());
    assert!(!house.path("a").exists());
}

#[test]
fn how_it_ended_and_what_it_said_is_told() {
    let house = House::new();
    let started = house.start(&House::shell("echo ordinary; echo broken >&2; exit 7"));
    started.send("e1");
    let outcome = started.outcome();
    let stderr = "broken".to_owned();
    let (code, signal) = (Some(7), None);
    assert_eq!(
        outcome.result,
        Err(Failure::Exit {
            code,
            signal,
            stderr
        })
    );
    let said = outcome.to_string();
    assert!(
        said.contains("event e1: ended with exit code 7, saying: broken"),
        "{said}"
    );

    let started = house.start(&House::shell("kill -TERM $$"));
    started.send("e1");
    let (code, signal, stderr) = (None, Some(15), String::new());
    assert_eq!(
        started.outcome().result,
        Err(Failure::Exit {
            code,
            signal,
            stderr
        })
    );

    let started = house.start("[[hook]]\nevents = ['*']\ncommand = ['./none']\n");
    started.send("e1");
    assert!(
        started
            .outcome()
            .to_string()
            .contains("it could not be run: No such file")
    );
}

#[test]
fn only_the_beginning_of_much_talk_is_kept_and_all_is_read() {
    let house = House::new();
    let script = "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1";
    let started = house.start(&House::shell(script));
    started.send("e1");
    let Err(Failure::Exit { stderr, code, .. }) = started.outcome().result else {
        panic!("it failed");
    };
    assert_eq!((stderr, code), ("x".repeat(4096), Some(1)));
}

#[test]
fn a_command_that_does_not_read_is_no_failure() {
    let house = House::new();
    let started = house.start(&House::shell("exec <&-; exit 0"));
    let mut large = event("e1");
    large["state"] = "x".repeat(1 << 20).into();
    started.hooks.send(&large);
    assert_eq!(started.outcome().result, Ok(()));
}

/// A pipe that can be read to its end only when nobody has it open for writing any more.
fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    assert!(fs::metadata(path).unwrap().file_type().is_fifo());
}

#[test]
fn when_its_time_is_over_all_of_it_is_killed() {
    let house = House::new();
    house.hooks("");
    pipe(&house.path("alive"));
    // The child and its child both hold the pipe, and would for ever.
    let script = "[ -e once ] && exit; touch once; \
         exec 9> alive; echo begun >&9; echo slow >&2; sleep 100000 & sleep 100000";
    let text = format!("{}timeout = '2s'\n", House::shell(script));
    let started = house.start(&text);
    started.send("e1");
    // It ends once both are gone.
    let held = fs::read_to_string(house.path("alive")).unwrap();
    assert_eq!(held, "begun\n");
    let after = Duration::from_secs(2);
    let stderr = "slow".to_owned();
    assert_eq!(
        started.outcome().result,
        Err(Failure::TimedOut { after, stderr })
    );
    // The hook goes on with what comes next.
    started.send("e2");
    let next = started.outcome();
    assert_eq!((next.event.as_deref(), next.result), (Some("e2"), Ok(())));
}

#[test]
fn what_a_command_leaves_running_holds_nothing_up() {
    let house = House::new();
    house.hooks("");
    pipe(&house.path("go"));
    // It has standard error still open when the command has ended.
    let started = house.start(&House::shell(
        "(cat go > done; mv done gone) & echo said >&2; exit 3",
    ));
    started.send("e1");
    let Err(Failure::Exit { code, stderr, .. }) = started.outcome().result else {
        panic!("it failed");
    };
    assert_eq!((code, stderr.as_str()), (Some(3), "said"));
    fs::write(house.path("go"), "x").unwrap();
}

#[test]
fn closing_waits_for_what_is_under_way_and_then_kills_it() {
    let house = House::new();
    let started = house.start(&House::shell("cat > got"));
    for id in ["e1", "e2", "e3"] {
        started.send(id);
    }
    let outcomes = started.finish();
    assert_eq!(outcomes.len(), 3);
    assert!(outcomes.iter().all(|outcome| outcome.result == Ok(())));

    pipe(&house.path("alive"));
    let started = house.start(&House::shell("exec 9> alive; sleep 100000"));
    started.send("e1");
    started.send("e2");
    // Opened by both, it runs.
    let alive = fs::File::open(house.path("alive")).unwrap();
    let begun = Instant::now();
    assert_eq!(started.hooks.close(Duration::from_millis(50)), 2);
    assert!(begun.elapsed() < LONG);
    // And now it does not.
    assert_eq!(std::io::read_to_string(alive).unwrap(), "");
}
