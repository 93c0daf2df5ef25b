use super::*;
use crate::guard::{End, loss_in_texts};

fn done(rules: &[GuardRule], generation: &str, newest: &str) -> String {
    let text = |merged| match merged {
        Merged::Done(merge) => String::from_utf8(merge.text).unwrap(),
        Merged::Undecided(why) => panic!("{why:?}"),
    };
    let merged = text(merge(rules, generation.as_bytes(), newest.as_bytes()).unwrap());
    serde_json::from_str::<serde_json::Value>(&merged).unwrap();
    assert!(
        loss_in_texts(rules, generation.as_bytes(), merged.as_bytes())
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        text(merge(rules, generation.as_bytes(), merged.as_bytes()).unwrap()),
        merged,
        "twice"
    );
    merged
}

fn doubted(rules: &[GuardRule], generation: &str, newest: &str) -> Vec<String> {
    match merge(rules, generation.as_bytes(), newest.as_bytes()).unwrap() {
        Merged::Done(merge) => panic!("{merge:?}"),
        Merged::Undecided(why) => why
            .into_iter()
            .map(|why| format!("{}: {}", why.list, why.reason))
            .collect(),
    }
}

fn list(items: &str) -> String {
    format!("{{\"m\":[{items}]}}")
}

#[test]
fn older_items_come_back_and_newer_ones_stay() {
    let rules = [GuardRule::new("m")];
    let newest_first = [GuardRule::new("m").trimmed(End::Back)];
    for (rules, generation, newest, merged) in [
        (&rules, "1,2,3,4", "1,2,9", "1,2,3,4,9"),
        (&rules, "1,2,3,4", "", "1,2,3,4"),
        (&rules, "1,2,3,4", "8,9", "1,2,3,4,8,9"),
        (&rules, "1,2,3,4", "2,4", "1,2,3,4"),
        (&rules, "1,2,3,4", "0,2,7,4,9", "1,0,2,3,7,4,9"),
        (&rules, "1,1,2", "1,3", "1,1,2,3"),
        (&rules, "1,2", "2,1", "2,1"),
        (&rules, "1,2", "1, 2 ,3", "1, 2 ,3"),
        (&newest_first, "4,3,2,1", "9,3", "9,4,3"),
        (&newest_first, "4,3,2,1", "9,1", "9,4,3,2,1"),
        (&newest_first, "4,3,2,1", "9", "9,4,3,2,1"),
    ] {
        assert_eq!(
            done(rules, &list(generation), &list(newest)),
            list(merged),
            "{generation} and {newest}"
        );
    }
}

#[test]
fn the_rest_is_the_newest_states_and_white_space_is_its_own() {
    let rules = [GuardRule::new("a.m")];
    let generation = r#"{"title":"old","a":{"m":[{"i": 1},{"i":2},{"i":3}],"n":1}}"#;
    let newest = "{\n  \"title\": \"new\",\n  \"a\": {\n    \"n\": 2,\n    \"m\": [\n      {\"i\":2} ,\n      {\"i\":4}\n    ]\n  }\n}\n";
    assert_eq!(
        done(&rules, generation, newest),
        newest.replace(
            "{\"i\":2} ,",
            "{\"i\": 1} ,\n      {\"i\":2} ,\n      {\"i\":3} ,"
        )
    );
    // A list that was emptied has no white space to go by but the fuller state's.
    let pretty = "{\n  \"a\": {\n    \"m\": [\n      1,\n      2\n    ]\n  }\n}\n";
    let empty = pretty.replace("[\n      1,\n      2\n    ]", "[]");
    assert_eq!(done(&rules, pretty, &empty), pretty);
    assert_eq!(
        done(&rules, pretty, "{\"a\":{\"m\":[9]}}"),
        "{\"a\":{\"m\":[1,2,9]}}"
    );
}

#[test]
fn a_list_that_is_no_more_is_there_again() {
    let rules = [GuardRule::new("a[\"b c\"]")];
    let generation = r#"{"a":{"b c":[1,2]},"z":0}"#;
    for (newest, merged) in [
        ("{}", r#"{"a":{"b c":[1,2]}}"#),
        ("{ }", r#"{"a":{"b c":[1,2]} }"#),
        (r#"{"a":null}"#, r#"{"a":{"b c":[1,2]}}"#),
        (
            r#"{"a":{"x": 1}, "y": 2}"#,
            r#"{"a":{"x": 1,"b c": [1,2]}, "y": 2}"#,
        ),
        (r#"{"a":{"b c":null}}"#, r#"{"a":{"b c":[1,2]}}"#),
        (" null\n", " {\"a\":{\"b c\":[1,2]}}\n"),
        (
            r#"{"a":{"b c":[]},"a":{}}"#,
            r#"{"a":{"b c":[]},"a":{"b c":[1,2]}}"#,
        ),
    ] {
        assert_eq!(done(&rules, generation, newest), merged);
    }
    for other in [
        r#"{"a":7}"#,
        "[]",
        r#"{"a":{"b c":{}}}"#,
        "\"x\"",
        r#"{"a":[1]}"#,
    ] {
        assert!(
            doubted(&rules, generation, other)[0].contains("something else than a list"),
            "{other}"
        );
    }
    assert_eq!(done(&[GuardRule::new(".")], "[1,2]", "[2]"), "[1,2]");
}

#[test]
fn what_cannot_be_decided_is_said() {
    let rules = [GuardRule::new("m"), GuardRule::new("n").key("id")];
    assert_eq!(
        doubted(&rules, &list("1,2,3"), &list("2,1")),
        [
            "m: both states have its items in another order: number 1 of the fuller one is number 2 now"
        ]
    );
    let n = |items: &str| format!("{{\"n\":[{items}]}}");
    let (was, is) = (r#"{"id":1,"x":"a"},{"id":2}"#, r#"{"id":1,"x":"b"}"#);
    assert_eq!(
        doubted(&rules, &n(was), &n(is)),
        [
            "n: number 1 of the fuller state and number 1 of the newest have the same id, and say something else"
        ]
    );
    // Nothing comes back, so nothing is to be decided.
    assert_eq!(done(&rules, &n(r#"{"id":1,"x":"a"}"#), &n(is)), n(is));
    let grown = r#"{"id":1,"x":"a","y":1}"#;
    assert_eq!(
        done(&rules, &n(was), &n(grown)),
        n(&format!("{grown},{{\"id\":2}}"))
    );
}

#[test]
fn what_moved_or_left_by_nature_does_not_come_back() {
    let rules = [
        GuardRule::new("queue").consumed(End::Front),
        GuardRule::new("history").trimmed(End::Front).bound(2),
    ];
    let generation = r#"{"queue":[3,4,5,6],"history":[1,2]}"#;
    assert_eq!(
        done(&rules, generation, r#"{"queue":[6],"history":[2,4]}"#),
        r#"{"queue":[6],"history":[2,4]}"#
    );
    assert_eq!(
        done(&rules, generation, r#"{"queue":[4],"history":[2,3]}"#),
        r#"{"queue":[4,5,6],"history":[2,3]}"#
    );
}

#[test]
fn generations_in_turn_bring_back_all() {
    let rules = [GuardRule::new("messages")];
    let chat = |range: std::ops::Range<usize>| {
        let items: Vec<String> = range
            .map(|n| format!("{{\"role\":\"user\",\"content\":\"m{n}\"}}"))
            .collect();
        format!("{{\"messages\":[{}]}}", items.join(","))
    };
    let (thousand, fifty, thirty) = (chat(0..1000), chat(950..1000), chat(970..1000));
    let back = done(&rules, &fifty, &thirty);
    assert_eq!(back, fifty);
    assert_eq!(done(&rules, &thousand, &back), thousand);
}

#[test]
fn an_answer_that_goes_on_is_an_anchor() {
    let rules = [GuardRule::new("m")];
    let say = |text: &str| format!("{{\"role\":\"a\",\"content\":\"{text}\"}}");
    let (was, is) = (say("Hel"), say("Hello"));
    assert_eq!(
        done(
            &rules,
            &list(&format!("1,{was},2,3")),
            &list(&format!("1,{is}"))
        ),
        list(&format!("1,{is},2,3"))
    );
}

#[test]
fn a_key_that_several_items_share_is_not_trusted() {
    let rules = [
        GuardRule::new("a"),
        GuardRule::new("b").key("id").trimmed(End::Back),
    ];
    let generation = r#"{"a":[{"id":0,"t":1}],"b":[{"id":0,"x":"0"},{"id":0,"x":"2"}],"c":[]}"#;
    let newest = r#"{"a":[],"b":[{"id":0,"t":1}],"c":[{"id":0,"x":"0"}]}"#;
    let doubts = doubted(&rules, generation, newest);
    assert!(
        doubts[0].starts_with("a: several items share a key"),
        "{doubts:?}"
    );
    let plain = [GuardRule::new("b").key("id")];
    let twice = r#"{"b":[{"id":1,"x":1},{"id":1,"x":2}]}"#;
    assert_eq!(done(&plain, twice, r#"{"b":[{"id":1,"x":2}]}"#), twice);
}

#[test]
fn a_single_item_is_joined_as_in_the_fuller_state() {
    let rules = [GuardRule::new(".")];
    for (generation, newest, wanted) in [
        // JSON lines, as one text.
        ("[1\n,2\n,3\n]", "[3\n]", "[1\n,2\n,3\n]"),
        ("[1, 2, 3]", "[3]", "[1, 2, 3]"),
        ("[1, 2, 3]", "[ 3 ]", "[ 1, 2, 3 ]"),
    ] {
        let merged = merge(&rules, generation.as_bytes(), newest.as_bytes()).unwrap();
        let Merged::Done(merged) = merged else {
            panic!("{merged:?}");
        };
        assert_eq!(String::from_utf8(merged.text).unwrap(), wanted);
    }
}
