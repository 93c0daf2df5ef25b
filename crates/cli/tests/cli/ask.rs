//! `--ask`: what a program that has a session open does for others.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use dalsegno::{Attendant, Engine, Options, Reply, Request, Restored};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::common::{House, id};

/// A bot that goes on with what it is told.
#[derive(Default)]
struct Bot {
    loaded: Arc<Mutex<Vec<String>>>,
    /// Says when it was asked, and waits until it may go on.
    paused: Option<(Sender<()>, Receiver<()>)>,
    breaks: bool,
}

impl Attendant for Bot {
    fn asked(&mut self, _: &Request) -> dalsegno::Result<Reply> {
        if let Some((asked, go_on)) = &self.paused {
            asked.send(()).unwrap();
            go_on.recv().unwrap();
        }
        Ok(Reply::CarryOut)
    }

    fn load(&mut self, _: &Request, state: &Restored) -> dalsegno::Result<bool> {
        if self.breaks {
            return Err(dalsegno::Error::new(
                dalsegno::ErrorKind::InvalidInput,
                "the track is gone",
            ));
        }
        let text = String::from_utf8(state.text().to_vec()).unwrap();
        self.loaded.lock().unwrap().push(text);
        Ok(true)
    }
}

fn open(house: &House) -> Arc<Engine> {
    for n in 1..4 {
        house.save("s", &format!("{{\"n\":{n}}}"));
    }
    let options = Options::default().program("the bot");
    let bot = Arc::new(options.open(house.store()).unwrap());
    bot.open_session("s").unwrap();
    bot
}

#[test]
fn the_bot_does_it_and_goes_on_with_it() {
    let house = House::new();
    let bot = open(&house);
    let program = Bot::default();
    let loaded = Arc::clone(&program.loaded);
    let _attending = bot.attend(program).unwrap();
    let refused = house.run(&["rollback", "s"]);
    refused.failed(5, "ask it to do this (`--ask`)");
    let done_by = format!(
        "done by the bot (process {}), which was asked",
        std::process::id()
    );
    let ran = house.run(&["rollback", "s", "--ask"]).ok();
    ran.says("the newest stored state of s is now")
        .says(&done_by);
    ran.says("it goes on with that state").says("undo --ask s");
    let ran = house.run(&["undo", "s", "--ask", "--json"]).ok().json();
    assert_eq!(
        (&ran["by"]["program"], &ran["not_told"]),
        (&json!("the bot"), &json!(null))
    );
    assert_eq!(
        (&ran["dry_run"], &ran["plan"]["verb"]),
        (&json!(false), &json!("undo"))
    );
    house.run(&["redo", "s", "--ask"]).ok().says("undo --ask s");
    let restored = house
        .run(&["snapshot", "restore", "s@-2", "--ask", "--json"])
        .ok();
    assert_eq!(restored.json()["plan"]["verb"], "restore");
    let saving = [
        "snapshot", "save", "s", "--ask", "--name", "n4", "--meta", "k=v",
    ];
    let saved = house.feed(&saving, b"{\"n\":4}").ok();
    saved.says("saved s as ").says("'n4'").says(&done_by);
    let saving = ["snapshot", "save", "s", "--ask", "--json"];
    let saved = house.feed(&saving, b"{\"n\":5}").ok().json();
    assert_eq!(saved["by"]["pid"], std::process::id());
    let newest = house
        .run(&["snapshot", "info", "s@latest", "--json"])
        .ok()
        .json();
    assert_eq!(id(&newest), id(&saved));
    assert!(
        newest["metadata"]["asked"]["by"]
            .as_str()
            .unwrap()
            .starts_with("dalsegno (process ")
    );
    let told = loaded.lock().unwrap().clone();
    assert_eq!(told, [2, 3, 2, 2, 4, 5].map(|n| format!("{{\"n\":{n}}}")));
}

#[test]
fn what_was_lost_comes_back_by_the_bot_that_has_it() {
    let house = House::new();
    house.run(&["guard", "set", "s", "n"]).ok();
    house.save("s", "{\"n\":[1,2,3]}");
    let bot = Arc::new(Engine::open(house.store()).unwrap());
    bot.open_session("s").unwrap();
    let program = Bot::default();
    let loaded = Arc::clone(&program.loaded);
    let _attending = bot.attend(program).unwrap();
    let saving = ["snapshot", "save", "s", "--ask"];
    house
        .feed(&saving, b"{\"n\":[1,4]}")
        .ok()
        .says("n: 2 of 3 lost: the fuller state is kept as")
        .says("which was asked");
    house
        .run(&["guard", "restore", "s"])
        .failed(5, "ask it to do this (`--ask`)");
    house
        .run(&["guard", "restore", "s", "--ask"])
        .ok()
        .says("n: 2 items came back")
        .says("it goes on with that state");
    let again = ["guard", "restore", "s", "--ask", "--json"];
    let again = house.run(&again).ok().json();
    assert_eq!(
        (&again["returned"], &again["report"]),
        (&json!([]), &json!(null))
    );
    let saving = [&saving[..], &["--intent", "undo", "--json"]].concat();
    let saved = house.feed(&saving, b"{\"n\":[1]}").ok().json();
    assert_eq!(
        (&saved["intent"], &saved["guarded"]),
        (&json!("undo"), &json!(null))
    );
    let told = loaded.lock().unwrap().clone();
    let states = ["[1,4]", "[1,2,3,4]", "[1]"].map(|n| format!("{{\"n\":{n}}}"));
    assert_eq!(told, states);
}

#[test]
fn what_nobody_has_to_be_asked_for_is_done_here() {
    let house = House::new();
    let bot = open(&house);
    let _attending = bot.attend(()).unwrap();
    house
        .run(&["rollback", "s", "--ask", "--dry-run"])
        .ok()
        .says("dry run: nothing was changed");
    for verb in [
        &["rollback", "s", "--ask", "--to-file", "f.json"][..],
        &["snapshot", "restore", "s@-1", "--ask", "--to", "f.json"],
        &["undo", "s", "--ask", "--skip"],
        &["rollback", "s", "--timeout", "1s"],
        &["rollback", "s", "--ask", "--timeout", "soon"],
    ] {
        house.run(verb).refused(2, "");
    }
    house
        .run(&["snapshot", "restore", "s@-1", "--to", "f.json"])
        .ok();
    house
        .run(&["undo", "s", "--ask"])
        .ok()
        .says("is gone, as it was before");
    bot.close_session("s").unwrap();
    house
        .run(&["rollback", "s", "--ask"])
        .ok()
        .says("no program has s open: it was done here");
    let ran = house.run(&["undo", "s", "--ask", "--json"]).ok().json();
    assert_eq!(ran["by"], json!(null));
}

#[test]
fn what_was_not_done_is_not_claimed() {
    let house = House::new();
    let bot = open(&house);
    house
        .run(&["rollback", "s", "--ask"])
        .refused(5, "answers no requests");
    let attending = bot.attend(()).unwrap();
    let ran = house.run(&["rollback", "s", "--ask"]).ok();
    ran.says("the running program was not told")
        .says("goes on top");
    attending.stop();
    let breaks = Bot {
        breaks: true,
        ..Bot::default()
    };
    let attending = bot.attend(breaks).unwrap();
    let ran = house.run(&["undo", "s", "--ask", "--json"]).ok().json();
    let not_told = ran["not_told"].as_str().unwrap();
    assert!(not_told.contains("the track is gone"), "{not_told}");
    // What it meets is answered as if it were met here.
    let refused = house.run(&["rollback", "s", "--ask", "--steps", "99", "--json"]);
    assert_eq!(
        (refused.code, refused.error().0.as_str()),
        (Some(4), "not_found")
    );
    attending.stop();
    let ((asked, is_asked), (go_on, may_go_on)) = (channel(), channel());
    let slow = Bot {
        paused: Some((asked, may_go_on)),
        ..Bot::default()
    };
    let attending = bot.attend(slow).unwrap();
    let before = house.contents();
    let rollback = ["rollback", "s", "--ask", "--timeout", "1h"];
    let first = house
        .command(&rollback)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    is_asked.recv().unwrap();
    house
        .run(&["rollback", "s", "--ask", "--timeout", "1ms"])
        .refused(5, "withdrawn, and nothing was changed");
    // Ctrl-C: the first is at work already, and says so.
    kill_process(Pid::from_child(&first), Signal::INT).unwrap();
    let first = crate::common::Ran::of(first.wait_with_output().unwrap());
    first
        .failed(130, "has not answered yet")
        .explains("this was interrupted");
    assert_eq!(house.contents(), before);
    go_on.send(()).unwrap();
    attending.stop();
    assert_ne!(house.contents(), before);
}
