//! Saves that are meant for the state that was read.

use dalsegno::{Engine, ErrorKind};

#[test]
fn a_save_that_expects_another_state_is_a_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(folder.path().join("store.db")).unwrap();
    let first = engine.save_json("s", "[1]").expect_new().commit().unwrap();
    let second = engine
        .save_json("s", "[2]")
        .expect_newest(first.id)
        .commit();
    assert_eq!(second.unwrap().parent, Some(first.id));
    for stale in [
        engine.save_json("s", "[3]").expect_newest(first.id),
        engine.save_json("s", "[3]").expect_new(),
        engine.save_json("other", "[3]").expect_newest(first.id),
    ] {
        assert_eq!(stale.commit().unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(engine.restore("s@latest").unwrap().text(), b"[2]");
}
