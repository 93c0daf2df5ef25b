//! The name of a session stands twice in the file: whichever is damaged, it is said, and the other one proves it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use dalsegno::{Engine, Options, Query, Scrub};

const NAMES: [&str; 3] = ["bot/1", "bot/2", "bot/3"];

fn filled(path: &Path) {
    let engine = Engine::create(path).unwrap();
    for turn in 0..3 {
        for name in NAMES {
            engine
                .save_json(name, format!("[{turn}]"))
                .commit()
                .unwrap();
        }
    }
    engine.close().unwrap();
}

/// With one bit of the name changed, wherever it stands.
fn each_damaged(of: &Path) -> Vec<Vec<u8>> {
    let whole = fs::read(of).unwrap();
    let places = memchr::memmem::find_iter(&whole, b"bot/2");
    let change = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at + 4] ^= 8;
        bytes
    };
    places.map(change).collect()
}

#[test]
fn wherever_it_is_damaged_it_is_said_and_nothing_else_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    filled(&path);
    let mut damaged = 0;
    for (at, bytes) in each_damaged(&path).into_iter().enumerate() {
        let path = folder.path().join(format!("{at}.db"));
        fs::write(&path, bytes).unwrap();
        let engine = Arc::new(Engine::open(&path).unwrap());
        let shown = engine.list(&Query::session("bot/2"));
        let alone = engine.verify(Some("bot/2")).unwrap();
        assert_eq!(alone.is_intact(), shown.is_ok(), "{alone:?}");
        assert_eq!(alone.snapshots, 3);
        let all = engine.verify(None).unwrap();
        assert_eq!((all.sessions, all.snapshots), (3, 9));
        assert_eq!(all.is_intact(), shown.is_ok());
        damaged += u32::from(shown.is_err());
        let proved = engine
            .scrub(Scrub::default().rate(0).once())
            .unwrap()
            .wait();
        assert!(proved.error.is_none(), "{proved:?}");
        assert_eq!((proved.rounds, proved.snapshots), (1, 9), "{proved:?}");
        assert_eq!(proved.damage.is_empty(), shown.is_ok());
        let seen = engine.doctor().unwrap();
        assert_eq!((seen.sessions, seen.snapshots), (3, 9));
    }
    assert_eq!(damaged, 2, "in the row, and in the index");
}

#[test]
fn a_rebuild_takes_the_name_that_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    filled(&path);
    for (at, bytes) in each_damaged(&path).into_iter().enumerate() {
        let path = folder.path().join(format!("{at}.db"));
        fs::write(&path, bytes).unwrap();
        let rebuilt = Options::default().rebuild(&path, &[]).unwrap();
        assert!(rebuilt.repairs.is_nothing(), "{rebuilt:?}");
        let engine = Engine::open(&path).unwrap();
        assert_eq!(engine.sessions().unwrap(), NAMES);
        let all = engine.verify(None).unwrap();
        assert!(all.is_intact() && all.snapshots == 9);
        engine.close().unwrap();
    }
}
