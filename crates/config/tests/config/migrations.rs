//! Migrations as they are written, and whose are run.

use std::time::Duration;

use dalsegno_config::{Refused, Role, Trust};

use crate::house::House;

const ONE: &str = "[[migration]]\nfrom = '1'\nto = '2'\nsessions = 'bot/*'\ncommand = ['./up', 'a b']\ntimeout = '5s'\n";

#[test]
fn migrations_as_they_are_written() {
    let house = House::new();
    house.user(&format!(
        "[[migration]]\nto = '1'\ncommand = ['jq', '.']\n{ONE}"
    ));
    let loaded = house.load();
    let [first, second] = &loaded.config.migrations[..] else {
        panic!("{:?}", loaded.config.migrations);
    };
    assert_eq!((first.from.as_deref(), first.to.as_str()), (None, "1"));
    assert_eq!(
        (&first.sessions, first.timeout),
        (&None, Duration::from_secs(30))
    );
    assert_eq!(first.program().unwrap().to_str(), Some("jq"));
    assert_eq!(second.from.as_deref(), Some("1"));
    assert!(second.sessions.as_ref().unwrap().matches("bot/1"));
    assert_eq!(second.timeout, Duration::from_secs(5));
    assert_eq!(
        second.program().unwrap(),
        house.path(".config/dalsegno/./up")
    );
    let shown = loaded.shown();
    let last = shown.last().unwrap();
    assert_eq!(last.key, "migration.command");
    let value = last.value.as_deref().unwrap();
    assert_eq!(value, "from 1 to 2 of bot/*: the migration ./up a b");
    let missing = loaded.check();
    assert!(
        missing
            .iter()
            .any(|it| it.message.contains("there is no program"))
    );
}

#[test]
fn a_projects_migrations_are_run_once_it_is_trusted() {
    let house = House::new();
    let file = house.write("project/dalsegno.toml", ONE);
    let loaded = house.load();
    assert_eq!(loaded.config.migrations, []);
    let [left_out] = &loaded.left_out[..] else {
        panic!("{:?}", loaded.left_out);
    };
    assert_eq!(
        (left_out.role, &left_out.why),
        (Role::Migration, &Refused::Untrusted)
    );
    let trusting = Trust::look(&house.layers, &file).unwrap();
    assert_eq!(trusting.migrations.len(), 1);
    trusting.accept().unwrap();
    assert_eq!(house.load().config.migrations.len(), 1);
}

#[test]
fn odd_migrations_are_refused() {
    for (text, said) in [
        ("to = '2'\ncommand = []", "command is empty"),
        ("command = ['x']", "missing field `to`"),
        (
            "to = '2'\ncommand = ['x']\ntimeout = '0s'",
            "no time at all",
        ),
        (
            "to = '2'\ncommand = ['x']\nfrom = ''",
            "a schema version is empty",
        ),
        (
            "to = '2'\ncommand = ['x']\nsessions = '['",
            "the pattern is wrong",
        ),
        ("to = '2'\ncommand = ['x']\nfrom = '2'", "in a circle"),
        (
            "to = '2'\ncommand = ['x']\n[[migration]]\nto = '3'\ncommand = ['x']",
            "two start from the same version",
        ),
    ] {
        let house = House::new();
        house.user(&format!("[[migration]]\n{text}\n"));
        let error = house.refused();
        assert!(error.contains(said), "{text}: {error}");
    }
}
