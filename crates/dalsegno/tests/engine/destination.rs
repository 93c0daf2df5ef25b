//! Restores into something that a program reads and writes itself, which fails at each point, or lies.

use std::cell::RefCell;
use std::rc::Rc;

use dalsegno::{Back, Destination, Engine, Error, ErrorKind, LogEntry, Result, Status};

/// What a step does instead of what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing, and says so.
    Fails,
    /// Half of it, and says that it failed.
    Half,
    /// Nothing, and says that it was done.
    Lies,
    /// Another thing, and says that it was done.
    Garbles,
}

/// A player on a node, as a text.
#[derive(Debug, Default)]
struct Node {
    text: Option<Vec<u8>>,
    /// Steps that were asked for.
    steps: usize,
    /// From this step on, so many steps have a fault.
    faults: Option<(usize, usize, Fault)>,
}

#[derive(Clone, Default)]
struct Player(Rc<RefCell<Node>>);

impl Player {
    fn with(text: &str) -> Self {
        let player = Self::default();
        player.0.borrow_mut().text = Some(text.into());
        player
    }

    fn fault(&self) -> Option<Fault> {
        let mut node = self.0.borrow_mut();
        let step = node.steps;
        node.steps += 1;
        node.faults
            .filter(|(from, count, _)| (*from..from + count).contains(&step))
            .map(|(_, _, fault)| fault)
    }

    fn text(&self) -> Option<Vec<u8>> {
        self.0.borrow().text.clone()
    }

    fn break_down(&self, from: usize, count: usize, fault: Fault) {
        let mut node = self.0.borrow_mut();
        node.steps = 0;
        node.faults = Some((from, count, fault));
    }

    fn repair(&self) {
        self.0.borrow_mut().faults = None;
    }
}

fn broken() -> Error {
    Error::new(ErrorKind::Storage, "the node does not answer")
}

impl Destination for Player {
    fn name(&self) -> String {
        "guild 42".to_owned()
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>> {
        match self.fault() {
            Some(Fault::Fails | Fault::Half) => Err(broken()),
            Some(Fault::Garbles) => Ok(Some(b"{\"garbled\":true}".to_vec())),
            Some(Fault::Lies) | None => Ok(self.text()),
        }
    }

    fn write(&mut self, state: Option<&[u8]>) -> Result<()> {
        let fault = self.fault();
        let mut node = self.0.borrow_mut();
        match fault {
            Some(Fault::Fails) => return Err(broken()),
            Some(Fault::Half) => {
                node.text = state.map(|text| text[..text.len() / 2].to_vec());
                return Err(broken());
            }
            Some(Fault::Lies) => {}
            Some(Fault::Garbles) => node.text = Some(b"{\"garbled\":true}".to_vec()),
            None => node.text = state.map(<[u8]>::to_vec),
        }
        Ok(())
    }
}

const LIVE: &str = "{\"track\":3,\"volume\":90}";

fn house() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(folder.path().join("store.db")).unwrap();
    for track in 1..=2 {
        let state = format!("{{\"track\":{track},\"volume\":50}}");
        engine.save_json("bot/42", state).commit().unwrap();
    }
    (folder, engine)
}

fn newest(engine: &Engine) -> (Status, bool) {
    match &engine.log("bot/42", 1).unwrap()[0] {
        LogEntry::Operation { status, undone, .. } => (*status, *undone),
        other => panic!("{other:?}"),
    }
}

fn deeds(engine: &Engine) -> usize {
    let entries = engine.log("bot/42", 100).unwrap();
    let deeds = entries.iter();
    deeds
        .filter(|entry| matches!(entry, LogEntry::Operation { .. }))
        .count()
}

#[test]
fn a_restore_that_holds_can_be_undone_and_done_again() {
    let (_folder, engine) = house();
    let player = Player::with(LIVE);
    let report = engine
        .put_back("bot/42@-1")
        .to(player.clone())
        .apply()
        .unwrap();
    assert_eq!(player.text().unwrap(), b"{\"track\":1,\"volume\":50}");
    let safety = report.safety.unwrap();
    assert_eq!(
        engine.restore(&safety.id.to_string()).unwrap().text(),
        LIVE.as_bytes()
    );
    assert_eq!(newest(&engine), (Status::Done, false));
    // The head is another thing, and is where it was.
    assert_eq!(
        engine.restore("bot/42@latest").unwrap().text(),
        b"{\"track\":2,\"volume\":50}"
    );
    let refused = engine.undo("bot/42").unwrap().apply().unwrap_err();
    assert!(refused.to_string().contains("guild 42"), "{refused}");
    let undo = engine.undo("bot/42").unwrap().to(player.clone());
    undo.apply().unwrap();
    assert_eq!(player.text().unwrap(), LIVE.as_bytes());
    let redo = engine.redo("bot/42").unwrap().to(player.clone());
    redo.apply().unwrap();
    assert_eq!(player.text().unwrap(), b"{\"track\":1,\"volume\":50}");
}

#[test]
fn what_a_program_could_not_do_by_itself_stands_in_the_log_and_is_nothing_to_undo() {
    let (_folder, engine) = house();
    engine
        .put_back("bot/42@-1")
        .to(Player::with(LIVE))
        .apply()
        .unwrap();
    let from = engine.info("bot/42@-1").unwrap().id;
    let words = ["track".to_owned()];
    for put_back in [true, false] {
        engine
            .note_failed_restore(
                "bot/42",
                "guild 42",
                Some(from),
                &words,
                "no answer",
                put_back,
            )
            .unwrap();
        let log = engine.log("bot/42", 1).unwrap();
        assert!(
            matches!(
                &log[0],
                LogEntry::Operation {
                    status: Status::RolledBack, from: Some(of), components, failure: Some(why), not_put_back, ..
                } if *of == from && components == &words && why == "no answer" && *not_put_back != put_back
            ),
            "{log:?}"
        );
    }
    // The one before is what can be undone.
    assert!(engine.undo("bot/42").is_ok());
    assert!(engine.verify(None).unwrap().is_intact());
    let unknown = engine.note_failed_restore("bot/7", "guild 7", None, &[], "no answer", true);
    assert_eq!(unknown.unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn only_some_components_of_what_is_live() {
    let (_folder, engine) = house();
    let player = Player::with(LIVE);
    let restore = engine.put_back("bot/42@-1").component("track");
    restore.to(player.clone()).apply().unwrap();
    assert_eq!(player.text().unwrap(), b"{\"track\":1,\"volume\":90}");
}

#[test]
fn where_nothing_stood_nothing_stands_after_the_undo() {
    let (_folder, engine) = house();
    let player = Player::default();
    let rollback = engine.rollback("bot/42", &Back::Steps(1)).unwrap();
    rollback.to(player.clone()).apply().unwrap();
    assert!(player.text().is_some());
    let undo = engine.undo("bot/42").unwrap().to(player.clone());
    undo.apply().unwrap();
    assert_eq!(player.text(), None);
}

/// At each step one fault, of each sort: whatever is said, it is true.
#[test]
fn a_step_that_fails_or_lies_is_rolled_back_and_said() {
    for fault in [Fault::Fails, Fault::Half, Fault::Lies, Fault::Garbles] {
        for step in 0..12 {
            let (_folder, engine) = house();
            let player = Player::with(LIVE);
            player.break_down(step, 1, fault);
            let done = engine.put_back("bot/42@-1").to(player.clone()).apply();
            let there = player.text().unwrap();
            let said = format!("{fault:?} at {step}: {done:?}");
            match done {
                Ok(_) => {
                    assert_eq!(there, b"{\"track\":1,\"volume\":50}", "{said}");
                    assert_eq!(newest(&engine), (Status::Done, false), "{said}");
                }
                Err(error) => {
                    assert_eq!(there, LIVE.as_bytes(), "{said}");
                    assert!(!error.to_string().contains("NOT"), "{said}");
                    if deeds(&engine) > 0 {
                        assert_eq!(newest(&engine), (Status::RolledBack, false), "{said}");
                        let nothing = engine.undo("bot/42").err().unwrap();
                        assert_eq!(nothing.kind(), ErrorKind::NotFound, "{said}");
                    }
                }
            }
            assert!(engine.verify(None).unwrap().is_intact());
        }
    }
}

/// From each step on everything fails: what could not be put back is said, kept, and can be undone later.
#[test]
fn a_destination_that_is_gone_is_said_and_undone_when_it_is_back() {
    let mut left = 0;
    for fault in [Fault::Fails, Fault::Half, Fault::Garbles] {
        // What says the same wrong thing from the first look on cannot be seen through.
        for step in usize::from(fault == Fault::Garbles)..12 {
            let (_folder, engine) = house();
            let player = Player::with(LIVE);
            player.break_down(step, 1_000, fault);
            let done = engine.put_back("bot/42@-1").to(player.clone()).apply();
            let there = player.text().unwrap();
            player.repair();
            let said = format!("{fault:?} from {step}: {done:?}");
            let Err(error) = done else {
                assert_eq!(there, b"{\"track\":1,\"volume\":50}", "{said}");
                continue;
            };
            if !error.to_string().contains("NOT") {
                assert_eq!(there, LIVE.as_bytes(), "{said}");
                continue;
            }
            left += 1;
            assert!(error.to_string().contains("kept as snapshot"), "{said}");
            assert_eq!(newest(&engine), (Status::Begun, false), "{said}");
            let undo = engine.undo("bot/42").unwrap().to(player.clone());
            undo.apply().unwrap();
            assert_eq!(player.text().unwrap(), LIVE.as_bytes(), "{said}");
        }
    }
    assert!(left > 0, "some could not be put back");
}

#[test]
fn what_is_no_json_is_not_restored_over_where_it_cannot_be_kept() {
    let (_folder, engine) = house();
    let player = Player::with("not JSON");
    let refused = engine.put_back("bot/42@-1").to(player.clone()).apply();
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(player.text().unwrap(), b"not JSON");
    assert_eq!(deeds(&engine), 0);
}

/// From each step on everything fails, of an undo: asked for again it ends, and can be done again.
#[test]
fn an_undo_that_could_not_end_is_ended_by_the_next() {
    const BACK: &[u8] = b"{\"track\":1,\"volume\":50}";
    let mut left = 0;
    for fault in [Fault::Fails, Fault::Half, Fault::Garbles] {
        for step in usize::from(fault == Fault::Garbles)..12 {
            let (_folder, engine) = house();
            let player = Player::with(LIVE);
            let restore = engine.put_back("bot/42@-1").to(player.clone());
            restore.apply().unwrap();
            player.break_down(step, 1_000, fault);
            let done = engine.undo("bot/42").unwrap().to(player.clone()).apply();
            player.repair();
            let said = format!("{fault:?} from {step}: {done:?}");
            if let Err(error) = done {
                if error.to_string().contains("NOT") {
                    left += 1;
                    let redo = engine.redo("bot/42").err().unwrap().to_string();
                    assert!(redo.contains("`undo bot/42` ends it"), "{redo}");
                }
                let again = engine.undo("bot/42").unwrap().to(player.clone());
                again.apply().unwrap();
            }
            assert_eq!(player.text().unwrap(), LIVE.as_bytes(), "{said}");
            assert_eq!(newest(&engine), (Status::Done, false), "{said}");
            let nothing = engine.undo("bot/42").err().unwrap();
            assert_eq!(nothing.kind(), ErrorKind::NotFound, "{said}");
            let redo = engine.redo("bot/42").unwrap().to(player.clone());
            redo.apply().unwrap();
            // A garbled rest that is JSON may be anybody's change, and was kept like one.
            if fault != Fault::Garbles {
                assert_eq!(player.text().unwrap(), BACK, "{said}");
            }
        }
    }
    assert!(left > 0, "some could not be put back");
}
