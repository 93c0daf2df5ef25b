use serde_json::Value;

use super::{Migration, Migrations};
use crate::error::{ErrorKind, Result};

fn step(from: Option<&str>, to: &str) -> Migration {
    let mark = format!("{}>{to}", from.unwrap_or("none"));
    Migration::new(from, to, move |mut state: Value| {
        let way = state["way"].as_str().unwrap_or_default();
        state["way"] = format!("{way} {mark}").into();
        Ok::<_, String>(state)
    })
}

fn refused(steps: Vec<Migration>) -> String {
    let error = Migrations::new(steps).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    error.to_string()
}

fn current(migrations: &Migrations, session: &str, version: Option<&str>) -> Result<String> {
    let text = migrations.current(session, version, b"{}")?;
    Ok(String::from_utf8(text.unwrap_or_else(|| b"as it was".to_vec())).unwrap())
}

#[test]
fn every_version_has_one_way_to_the_newest() {
    let migrations = Migrations::new(vec![
        step(Some("2"), "3"),
        step(None, "1"),
        step(Some("1"), "2"),
        step(Some("1-beta"), "2"),
    ])
    .unwrap();
    assert_eq!(migrations.newest("any/thing"), Some("3"));
    for (version, way) in [
        (None, r#"{"way":" none>1 1>2 2>3"}"#),
        (Some("1-beta"), r#"{"way":" 1-beta>2 2>3"}"#),
        (Some("2"), r#"{"way":" 2>3"}"#),
        (Some("3"), "as it was"),
    ] {
        assert_eq!(current(&migrations, "any/thing", version).unwrap(), way);
    }
}

#[test]
fn a_version_that_is_not_known_is_no_current_one() {
    let migrations = Migrations::new(vec![step(Some("1"), "2")]).unwrap();
    let newer = current(&migrations, "a", Some("3")).unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        newer.to_string(),
        "it carries schema version 3, from which no migration leads to 2: it may be a newer program's"
    );
    let none = current(&migrations, "a", None).unwrap_err();
    assert!(none.to_string().contains("starts from none"), "{none}");
}

#[test]
fn of_several_patterns_the_most_specific_holds_alone() {
    let migrations = Migrations::new(vec![
        step(Some("1"), "2"),
        step(Some("2"), "3"),
        step(Some("1"), "1-bot").sessions("bot/*"),
    ])
    .unwrap();
    assert_eq!(migrations.newest("chat/1"), Some("3"));
    assert_eq!(migrations.newest("bot/1"), Some("1-bot"));
    assert!(current(&migrations, "bot/1", Some("2")).is_err());
    let only_bots = Migrations::new(vec![step(None, "1").sessions("bot/*")]).unwrap();
    assert_eq!(only_bots.newest("chat/1"), None);
    let untouched = current(&only_bots, "chat/1", Some("7")).unwrap();
    assert_eq!(untouched, "as it was");
}

#[test]
fn what_is_no_chain_is_refused_with_a_reason() {
    let circle = vec![
        step(Some("1"), "2"),
        step(Some("2"), "3"),
        step(Some("3"), "2"),
    ];
    assert!(refused(circle).contains("in a circle"));
    assert!(refused(vec![step(Some("1"), "1")]).contains("in a circle"));
    let twice = vec![step(Some("1"), "2"), step(Some("1"), "3")];
    assert!(refused(twice).contains("two start from the same version"));
    let ends = vec![step(Some("1"), "2"), step(Some("3"), "4")];
    assert!(refused(ends).contains("two newest versions, 2 and 4"));
    assert!(refused(vec![step(Some(" "), "2")]).contains("a schema version is empty"));
    let pattern = refused(vec![step(None, "2").sessions("bot/[")]);
    assert!(pattern.contains("the migration for 'bot/['"), "{pattern}");
}

#[test]
fn a_step_that_fails_says_so_and_harms_nothing() {
    let fails = Migration::new(Some("1"), "2", |_| {
        Err::<Value, _>(std::io::Error::other("no tracks"))
    });
    let panics = Migration::new(Some("0"), "1", |state: Value| {
        assert!(state["fine"].is_boolean(), "{state} is not fine");
        Ok::<_, String>(state)
    });
    let migrations = Migrations::new(vec![fails, panics]).unwrap();
    for _ in 0..2 {
        let failed = current(&migrations, "a", Some("1")).unwrap_err();
        assert_eq!(
            failed.to_string(),
            "the migration from schema version 1 to 2 failed: no tracks"
        );
        let source = std::error::Error::source(&failed).unwrap();
        assert_eq!(source.to_string(), "no tracks");
        let panicked = current(&migrations, "a", Some("0")).unwrap_err();
        assert_eq!(
            panicked.to_string(),
            "the migration from schema version 0 to 1 panicked: {} is not fine"
        );
    }
    let no_json = Migration::of_text(Some("1"), "2", |_| Ok::<_, String>(b"{".to_vec()));
    let no_json = Migrations::new(vec![no_json]).unwrap();
    let error = current(&no_json, "a", Some("1")).unwrap_err().to_string();
    assert!(error.contains("gave what is no state"), "{error}");
}

/// As the documentation of `Migration::new` says.
#[test]
fn what_a_step_does_not_touch_keeps_its_value_and_its_place() {
    let text =
        br#"{"z": 1, "a": [18446744073709551615, -9223372036854775808, 0.1, 1e2], "m": "\u00e4"}"#;
    let same = Migration::new(None, "1", Ok::<Value, String>);
    let migrations = Migrations::new(vec![same]).unwrap();
    let after = migrations.current("a", None, text).unwrap().unwrap();
    let kept = r#"{"z":1,"a":[18446744073709551615,-9223372036854775808,0.1,100.0],"m":"ä"}"#;
    assert_eq!(String::from_utf8(after).unwrap(), kept);
    // A number that is larger needs the text.
    let large = br#"{"id": 123456789012345678901234567890}"#;
    let as_text = Migration::of_text(None, "1", |text: &[u8]| Ok::<_, String>(text.to_vec()));
    let migrations = Migrations::new(vec![as_text]).unwrap();
    assert_eq!(
        migrations.current("a", None, large).unwrap().unwrap(),
        large
    );
    let deep = [b"[".repeat(200), b"]".repeat(200)].concat();
    let same = Migration::new(None, "1", Ok::<Value, String>);
    let migrations = Migrations::new(vec![same]).unwrap();
    assert!(migrations.current("a", None, &deep).is_err());
}
