//! Flag before environment before project before user before default, for each value.

use std::path::PathBuf;

use dalsegno_config::{Origin, Shown};
use jiff::SignedDuration;

use crate::house::House;

const PROJECT: &str = r#"
store = "states"
actor = "project"
key.file = "key"
access.token_file = "token"
[autosave]
interval = "2 min"
jitter = "2%"
min_change = "2 KiB"
[watch]
settle = "200ms"
include = ["*.project"]
exclude = ["x.project"]
"#;

const USER: &str = r#"
store = "~/states"
actor = "user"
key.file = "~/key"
access.token_file = "~/token"
[autosave]
interval = "3 min"
jitter = 0.07
min_change = 3072
[watch]
settle = "300ms"
include = ["*.user"]
exclude = ["x.user"]
"#;

const KEYS: [&str; 10] = [
    "store",
    "actor",
    "key.file",
    "access.token_file",
    "autosave.interval",
    "autosave.jitter",
    "autosave.min_change",
    "watch.settle",
    "watch.include",
    "watch.exclude",
];

fn values(house: &House) -> Vec<Option<String>> {
    let shown = house.load().shown();
    let keys: Vec<_> = shown.iter().map(|shown| shown.key.clone()).collect();
    assert_eq!(keys, KEYS);
    shown.into_iter().map(|shown| shown.value).collect()
}

fn some(values: [&str; 10]) -> Vec<Option<String>> {
    values.map(|value| Some(value.to_owned())).to_vec()
}

fn with_flags(house: &mut House) {
    let flags = &mut house.layers.flags;
    flags.store = Some("flagged".into());
    flags.actor = Some("flag".to_owned());
    flags.key_file = Some("flagged-key".into());
    flags.token_file = Some("flagged-token".into());
    flags.interval = Some(SignedDuration::from_secs(1));
    flags.jitter = Some(0.01);
    flags.min_change = Some(1);
    flags.settle = Some(SignedDuration::from_millis(1));
    flags.include = Some(vec!["*.flag".to_owned()]);
    flags.exclude = Some(vec!["x.flag".to_owned()]);
}

fn with_variables(house: &mut House) {
    for (name, value) in [
        ("DALSEGNO_STORE", "from-environment"),
        ("DALSEGNO_ACTOR", "environment"),
        ("DALSEGNO_KEY_FILE", "key-from-environment"),
        ("DALSEGNO_TOKEN_FILE", "token-from-environment"),
        ("DALSEGNO_AUTOSAVE_INTERVAL", "10s"),
        ("DALSEGNO_AUTOSAVE_JITTER", "10%"),
        ("DALSEGNO_AUTOSAVE_MIN_CHANGE", "10"),
        ("DALSEGNO_WATCH_SETTLE", "100ms"),
    ] {
        house.variable(name, value);
    }
}

#[test]
fn without_any_layer_the_defaults_hold() {
    let house = House::new();
    let shown = house.load().shown();
    assert!(shown.iter().all(|shown| shown.origin == Origin::Default));
    let values: Vec<_> = shown.into_iter().map(|shown| shown.value).collect();
    let expected = [Some("5 minutes"), Some("0%"), Some("0 B")];
    let expected =
        [None; 4]
            .into_iter()
            .chain(expected)
            .chain([Some("500 milliseconds"), Some(""), Some("")]);
    assert_eq!(
        values,
        expected.map(|v| v.map(str::to_owned)).collect::<Vec<_>>()
    );
}

#[test]
fn each_layer_gives_way_to_the_one_above_it() {
    let mut house = House::new();
    house.user(USER);
    let home = house.path("states").display().to_string();
    let key = house.path("key").display().to_string();
    let token = house.path("token").display().to_string();
    let user = [
        &home,
        "user",
        &key,
        &token,
        "3 minutes",
        "7%",
        "3.0 KiB",
        "300 milliseconds",
        "*.user",
        "x.user",
    ];
    assert_eq!(values(&house), some(user));

    house.project(PROJECT);
    let states = house.path("project/states").display().to_string();
    let key = house.path("project/key").display().to_string();
    let token = house.path("project/token").display().to_string();
    let project = [
        &states,
        "project",
        &key,
        &token,
        "2 minutes",
        "2%",
        "2.0 KiB",
        "200 milliseconds",
        "*.project",
        "x.project",
    ];
    assert_eq!(values(&house), some(project));

    with_variables(&mut house);
    let environment = [
        "from-environment",
        "environment",
        "key-from-environment",
        "token-from-environment",
        "10 seconds",
        "10%",
        "10 B",
        "100 milliseconds",
        "*.project",
        "x.project",
    ];
    assert_eq!(values(&house), some(environment));

    with_flags(&mut house);
    let flags = [
        "flagged",
        "flag",
        "flagged-key",
        "flagged-token",
        "1 second",
        "1%",
        "1 B",
        "1 millisecond",
        "*.flag",
        "x.flag",
    ];
    assert_eq!(values(&house), some(flags));
    let shown = house.load().shown();
    assert!(shown.iter().all(|shown| shown.origin == Origin::Flag));
}

#[test]
fn each_value_knows_where_it_came_from() {
    let mut house = House::new();
    let user = house.user("actor = 'user'\n\n[watch]\nsettle = '1s'\nexclude = ['a']\n");
    let project = house.project("# first line\nactor = 'project'\n[watch]\nexclude = ['b']\n");
    house.variable("DALSEGNO_AUTOSAVE_JITTER", "1%");
    let shown = house.load().shown();
    let origin = |key: &str| {
        let found = shown.iter().find(|Shown { key: known, .. }| known == key);
        found.unwrap().origin.clone()
    };
    let in_project = |line| Origin::Project {
        file: project.clone(),
        line,
    };
    assert_eq!(origin("actor"), in_project(2));
    assert_eq!(origin("watch.exclude"), in_project(4));
    assert_eq!(
        origin("watch.settle"),
        Origin::User {
            file: user.clone(),
            line: 4
        }
    );
    let variable = "DALSEGNO_AUTOSAVE_JITTER".to_owned();
    assert_eq!(origin("autosave.jitter"), Origin::Environment { variable });
    assert_eq!(origin("autosave.interval"), Origin::Default);
    assert_eq!(
        in_project(2).to_string(),
        format!("{}:2", project.display())
    );
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let mut house = House::new();
    house.project("store = 's'\nactor = 'project'");
    house.variable("DALSEGNO_STORE", "");
    house.variable("DALSEGNO_ACTOR", "");
    let config = house.load().config;
    assert_eq!(config.store.unwrap().value, house.path("project/s"));
    assert_eq!(config.actor.unwrap().value, "project");
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value, said) in [
        (
            "DALSEGNO_AUTOSAVE_INTERVAL",
            "soon",
            "'soon' is not a duration",
        ),
        ("DALSEGNO_AUTOSAVE_INTERVAL", "0s", "no time at all"),
        ("DALSEGNO_WATCH_SETTLE", "1ms", "write 20ms or more"),
        ("DALSEGNO_AUTOSAVE_MIN_CHANGE", "big", "'big' is not a size"),
    ] {
        let mut house = House::new();
        house.variable(name, value);
        let message = house.refused();
        assert!(
            message.contains(name) && message.contains(said),
            "{message}"
        );
    }
}

#[test]
fn paths_in_files_are_relative_to_the_file_and_others_are_not() {
    let mut house = House::new();
    let store = |house: &House| house.load().config.store.unwrap().value;
    house.project("store = '../elsewhere'");
    assert_eq!(store(&house), house.path("project/../elsewhere"));
    house.project("store = '/srv/states'");
    assert_eq!(store(&house), PathBuf::from("/srv/states"));
    house.project("store = '~/states'");
    assert_eq!(store(&house), house.path("states"));
    house.variable("DALSEGNO_STORE", "here");
    assert_eq!(store(&house), PathBuf::from("here"));
}

#[test]
fn of_guards_with_the_same_pattern_the_projects_holds() {
    let house = House::new();
    house.user(
        "[guard.'bot/*']\nlist = 'messages'\n[guard.'chat/*']\nlist = 'messages'\nkey = 'id'",
    );
    house.project("[guard.'bot/*']\nlist = 'queue.upcoming'\nconsumed = 'front'\ngenerations = 9\nmax_age = '7d'");
    let guards = house.load().config.guards;
    let of = |session: &str| {
        let guard = guards
            .iter()
            .find(|guard| guard.value.sessions.matches(session));
        serde_json::to_value(&guard.unwrap().value).unwrap()
    };
    assert_eq!(guards.len(), 2);
    assert_eq!(
        of("bot/1"),
        serde_json::json!({"pattern": "bot/*", "lists": [{"list": "queue.upcoming", "consumed": "front"}],
            "generations": 9, "max_age": "7 days"})
    );
    assert_eq!(
        of("chat/1"),
        serde_json::json!({"pattern": "chat/*", "lists": [{"list": "messages", "key": "id"}],
            "generations": 5, "max_age": "30 days"})
    );
}

#[test]
fn a_guard_may_have_several_lists_or_none() {
    let house = House::new();
    house.user(
        "[guard.'a']\nlists = [{ list = '.' }, { list = 'x[\"a..b\"]', trimmed = 'back', bound = 3 }]\n\
         [guard.'b']\nlists = []\n",
    );
    let guards = house.load().config.guards;
    let lists = |n: usize| serde_json::to_value(&guards[n].value.lists).unwrap();
    assert_eq!(
        lists(0),
        serde_json::json!([{"list": "."}, {"list": "x[\"a..b\"]", "trimmed": "back", "bound": 3}])
    );
    assert_eq!(lists(1), serde_json::json!([]));
}
