//! What is said of a snapshot can be said otherwise later; the state stays.

use dalsegno::{Amendment, Engine, ErrorKind, MAX_DETAIL};
use serde_json::{Value, json};

#[test]
fn a_snapshot_is_described_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    let saved = engine
        .save("s", &1)
        .label("first")
        .meta("a", 1)
        .commit()
        .unwrap();
    let id = saved.id.to_string();
    let Value::Object(metadata) = json!({"b": [2]}) else {
        panic!("an object is no object");
    };
    for amendment in [
        Amendment::Label(Some("second".to_owned())),
        Amendment::Description(Some("words".to_owned())),
        Amendment::Metadata(metadata.clone()),
    ] {
        engine.amend(&id, &amendment).unwrap();
    }
    let too_long = Amendment::Description(Some("x".repeat(MAX_DETAIL + 1)));
    let refused = engine.amend(&id, &too_long).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    drop(engine);

    let engine = Engine::open(&path).unwrap();
    let amended = engine.info(&id).unwrap();
    assert_eq!(amended.label.as_deref(), Some("second"));
    assert_eq!(amended.description.as_deref(), Some("words"));
    assert_eq!(amended.metadata, metadata);
    assert_eq!(amended.checksum, saved.checksum);
    assert!(engine.verify(None).unwrap().is_intact());
    let none = engine.amend(&id, &Amendment::Description(None)).unwrap();
    assert_eq!(none.description, None);
}
