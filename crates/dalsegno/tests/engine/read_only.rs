//! Stores that are opened for reading, though they could be written.

use dalsegno::store::SqliteOptions;
use dalsegno::{Engine, ErrorKind, Options};

#[test]
fn a_store_that_is_opened_for_reading_only_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    engine.save_json("s", "[1]").commit().unwrap();
    let reading = SqliteOptions {
        read_only: true,
        ..SqliteOptions::default()
    };
    let reader = Options::default().sqlite(reading).open(&path).unwrap();
    assert!(reader.is_read_only());
    engine.save_json("s", "[2]").commit().unwrap();
    assert_eq!(reader.restore("s@latest").unwrap().text(), b"[2]");
    let refused = reader.save_json("s", "[3]").commit().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied);
    assert!(refused.to_string().contains("opened for reading only"));
    reader.close().unwrap();
}
