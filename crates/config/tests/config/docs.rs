//! The examples of docs/config.md, as they stand.

use crate::house::House;

const DOCS: &str = include_str!("../../../../docs/config.md");

#[test]
fn the_example_is_a_configuration_with_all_keys() {
    let example = DOCS.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let house = House::new();
    house.user(example);
    let loaded = house.load();
    let config = &loaded.config;
    assert_eq!((config.guards.len(), config.hooks.len()), (2, 2));
    assert_eq!(config.migrations.len(), 1);
    assert_eq!(loaded.left_out, []);
    let known = [
        "store",
        "actor",
        "key",
        "file",
        "access",
        "token_file",
        "autosave",
        "interval",
        "jitter",
        "min_change",
        "watch",
        "settle",
        "include",
        "exclude",
        "guard",
        "list",
        "key",
        "trimmed",
        "lists",
        "bound",
        "consumed",
        "generations",
        "max_age",
        "hook",
        "events",
        "sessions",
        "command",
        "timeout",
        "webhook",
        "secret_env",
        "secret_file",
        "migration",
        "from",
        "to",
    ];
    for key in known {
        assert!(example.contains(key), "{key} is not in the example");
    }
    // The variables that it names are those that are read.
    for variable in example
        .split_whitespace()
        .filter(|word| word.starts_with("DALSEGNO_"))
    {
        let mut house = House::new();
        let value = match variable.rsplit('_').next() {
            Some("CHANGE") => "7",
            Some("JITTER") => "7%",
            _ => "7s",
        };
        house.variable(variable, value);
        let shown = house.load().shown();
        let origins: Vec<_> = shown.iter().map(|shown| shown.origin.to_string()).collect();
        assert!(
            origins.iter().any(|origin| origin == variable),
            "{variable}"
        );
    }
}
