//! Whether a diff is true and whole: applied to the first state, it gives the second.

mod neighbours;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::change::{ComponentDiff, Difference, DifferenceKind};
use super::compare::texts;
use super::{Diff, diff};
use crate::Engine;
use crate::restore::Change;

fn between(old: &str, new: &str) -> Vec<ComponentDiff> {
    texts(old.as_bytes(), new.as_bytes()).unwrap()
}

fn lines(old: &str, new: &str) -> Vec<String> {
    let components = between(old, new);
    let lines = components.iter().flat_map(|component| component.lines(8));
    lines.map(|line| line.to_string()).collect()
}

/// `old` with the differences, which lead on from there.
fn applied(old: &Value, differences: &[Difference]) -> Value {
    let mut now = old.clone();
    let mut lists: Vec<(&str, Vec<&Difference>)> = Vec::new();
    for difference in differences {
        if difference.old_index.is_none() && difference.new_index.is_none() {
            let after = difference.after.as_ref();
            let after = after.map(|json| serde_json::from_str(json.as_str()).unwrap());
            set(&mut now, &steps(&difference.path), after);
            continue;
        }
        match lists.iter_mut().find(|(path, _)| *path == difference.path) {
            Some((_, of_list)) => of_list.push(difference),
            None => lists.push((&difference.path, vec![difference])),
        }
    }
    for (path, of_list) in lists {
        let steps = steps(path);
        let mut was = old;
        for step in &steps {
            was = &was[step];
        }
        let list = relisted(was.as_array().unwrap(), &of_list);
        set(&mut now, &steps, Some(list));
    }
    now
}

fn relisted(was: &[Value], differences: &[&Difference]) -> Value {
    let named: Vec<usize> = differences.iter().filter_map(|d| d.old_index).collect();
    let mut rest = (0..was.len()).filter(|at| !named.contains(at));
    let count = |kind| differences.iter().filter(|d| d.kind == kind).count();
    let len = was.len() + count(DifferenceKind::Added) - count(DifferenceKind::Removed);
    let at = |at: usize| {
        let Some(difference) = differences.iter().find(|d| d.new_index == Some(at)) else {
            return was[rest.next().unwrap()].clone();
        };
        if let Some(after) = &difference.after {
            return serde_json::from_str(after.as_str()).unwrap();
        }
        applied(&was[difference.old_index.unwrap()], &difference.inside)
    };
    let list = (0..len).map(at).collect();
    assert_eq!(rest.next(), None, "an item that is gone was not named");
    list
}

fn set(value: &mut Value, steps: &[String], to: Option<Value>) {
    let Some((last, way)) = steps.split_last() else {
        *value = to.unwrap();
        return;
    };
    let mut at = value;
    for step in way {
        at = at.get_mut(step).unwrap();
    }
    let members = at.as_object_mut().unwrap();
    match to {
        Some(to) => drop(members.insert(last.clone(), to)),
        None => drop(members.remove(last).unwrap()),
    }
}

/// The names in a path.
fn steps(path: &str) -> Vec<String> {
    let (mut steps, mut rest) = (Vec::new(), path);
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut names = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
            steps.push(names.next().unwrap().unwrap());
            rest = quoted[names.byte_offset()..].strip_prefix(']').unwrap();
        } else {
            let plain = rest.strip_prefix('.').unwrap_or(rest);
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            steps.push(plain[..end].to_owned());
            rest = &plain[end..];
        }
    }
    steps
}

/// The second state, from the first and the components that differ.
fn followed(old: &Value, components: &[ComponentDiff]) -> Value {
    let all: Vec<Difference> = components
        .iter()
        .flat_map(|c| c.differences.clone())
        .collect();
    applied(old, &all)
}

/// The diff of the way back.
fn turned(components: &[ComponentDiff]) -> Vec<Difference> {
    fn turn(difference: &Difference) -> Difference {
        let mut turned = difference.clone();
        turned.kind = match difference.kind {
            DifferenceKind::Added => DifferenceKind::Removed,
            DifferenceKind::Removed => DifferenceKind::Added,
            same => same,
        };
        std::mem::swap(&mut turned.old_index, &mut turned.new_index);
        std::mem::swap(&mut turned.before, &mut turned.after);
        turned.inside = difference.inside.iter().map(turn).collect();
        turned
    }
    let all = components.iter().flat_map(|c| &c.differences);
    sorted(all.map(turn).collect())
}

/// In an order of their own, without labels, which are those of the newer item.
fn sorted(mut differences: Vec<Difference>) -> Vec<Difference> {
    for difference in &mut differences {
        difference.label = None;
        difference.inside = sorted(std::mem::take(&mut difference.inside));
    }
    differences.sort_by_key(|d| format!("{d:?}"));
    differences
}

/// JSON of few names and values, so that two of them have much in common.
fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        (0..6i64).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    scalar.prop_recursive(4, 60, 7, |inner| {
        let name = prop_oneof![Just("id"), Just("title"), Just("a b"), Just("x"), Just("")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..7).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5).prop_map(|members| members
                .into_iter()
                .map(|(n, v)| (n.to_owned(), v))
                .collect()),
        ]
    })
}

/// A list, and the same list after some of what programs do to lists.
fn edited() -> impl Strategy<Value = (Value, Value)> {
    let item = prop_oneof![
        (0..30u8, 0..3u8).prop_map(|(id, n)| json!({"id": id, "n": n, "title": "t"})),
        (0..9u8, 0..3u8).prop_map(|(x, y)| json!({"role": "user", "content": x, "y": [y]})),
        (0..9u8).prop_map(Value::from),
    ];
    let edit = (
        0..5u8,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        item.clone(),
    );
    let list = prop::collection::vec(item, 0..30);
    (list, prop::collection::vec(edit, 0..8)).prop_map(|(old, edits)| {
        let mut new = old.clone();
        for (what, from, to, item) in edits {
            if new.is_empty() || what == 0 {
                new.insert(from.index(new.len() + 1), item);
                continue;
            }
            let at = from.index(new.len());
            match what {
                1 => drop(new.remove(at)),
                2 => new[at] = item,
                3 => {
                    let moved = new.remove(at);
                    new.insert(to.index(new.len() + 1), moved);
                }
                _ => {
                    if let Some(item) = new[at].as_object_mut() {
                        item.insert("n".to_owned(), json!("more"));
                    }
                }
            }
        }
        (
            json!({"list": old, "turn": 1}),
            json!({"list": new, "turn": 2}),
        )
    })
}

fn holds(old: &Value, new: &Value) -> Result<(), TestCaseError> {
    let there = between(&old.to_string(), &new.to_string());
    let back = between(&new.to_string(), &old.to_string());
    if old.is_object() == new.is_object() {
        prop_assert_eq!(&followed(old, &there), new);
    }
    let again = back.iter().flat_map(|c| c.differences.clone()).collect();
    prop_assert_eq!(turned(&there), sorted(again));
    prop_assert!(between(&old.to_string(), &old.to_string()).is_empty());
    if old != new {
        prop_assert!(there.iter().any(|c| !c.differences.is_empty()));
    }
    for component in &there {
        prop_assert!(component.change != Change::Same);
        let counts = component.counts;
        let all = counts.added + counts.removed + counts.moved + counts.changed;
        prop_assert_eq!(all, component.differences.len());
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_diff_leads_from_one_state_to_the_other_and_back(old in any_json(), new in any_json()) {
        holds(&old, &new)?;
    }

    #[test]
    fn so_does_one_of_an_edited_list((old, new) in edited()) {
        holds(&old, &new)?;
    }

    #[test]
    fn layout_and_order_of_members_are_no_difference(state in any_json()) {
        let text = state.to_string();
        let pretty = String::from_utf8(crate::pretty(text.as_bytes())).unwrap();
        for component in between(&text, &pretty) {
            prop_assert!(component.only_spelling);
            prop_assert!(component.differences.is_empty());
        }
    }
}

#[test]
fn a_queue_is_read_by_its_titles() {
    let track = |title: &str, n: u8| {
        format!(
            "{{\"encoded\":\"Q{n}\",\"info\":{{\"title\":\"{title}\",\"author\":\"A{n}\",\"position\":{n}}}}}"
        )
    };
    let queue = |tracks: &[String]| {
        format!(
            "{{\"volume\":75,\"queue\":{{\"upcoming\":[{}],\"loop\":null}}}}",
            tracks.join(",")
        )
    };
    let (a, b, c, d) = (
        track("Naima", 1),
        track("So What", 2),
        track("Blue Train", 3),
        track("Flamenco", 4),
    );
    let old = queue(&[a.clone(), b.clone(), c.clone(), d.clone()]);
    let new = queue(&[d, b, c, track("Footprints", 5)]);
    assert_eq!(
        lines(&old, &new),
        [
            "> moved Flamenco — A4  queue.upcoming[3 → 0]",
            "- Naima — A1  queue.upcoming[0]",
            "+ Footprints — A5  queue.upcoming[3]",
        ]
    );
    let later = queue(&[a.replace("\"position\":1", "\"position\":4000")]);
    assert_eq!(
        lines(&queue(&[a]), &later.replace("75", "30")),
        [
            "~ volume 75 → 30",
            "~ Naima — A1  queue.upcoming[0]",
            "  ~ info.position 1 → 4000"
        ]
    );
}

#[test]
fn another_thing_is_not_the_same_thing_changed() {
    let playing = |id: u8, title: &str| {
        format!(
            "{{\"queue\":{{\"current\":{{\"encoded\":\"Q\",\"info\":{{\"identifier\":\"{id}\",\"title\":\"{title}\"}}}}}}}}"
        )
    };
    let line = |old: &str, new: &str| lines(old, new).join("|");
    assert_eq!(
        line(&playing(1, "Naima"), &playing(2, "So What")),
        "~ queue.current Naima → So What"
    );
    assert_eq!(
        line(&playing(1, "Naima"), &playing(1, "Naima (Live)")),
        "~ queue.current.info.title \"Naima\" → \"Naima (Live)\""
    );
}

#[test]
fn a_chat_is_read_by_who_said_what() {
    let say = |who: &str, what: &str| format!("{{\"role\":\"{who}\",\"content\":\"{what}\"}}");
    let chat = |messages: &[String]| format!("{{\"messages\":[{}]}}", messages.join(","));
    let (question, answer) = (say("user", "Is it dry?"), say("assistant", "Look first."));
    let old = chat(&[question.clone(), answer.clone()]);
    let new = chat(&[
        question.clone(),
        say("assistant", "Water it."),
        say("user", "Thanks."),
    ]);
    assert_eq!(
        lines(&old, &new),
        [
            "~ assistant: Water it.  messages[1]",
            "  ~ content \"Look first.\" → \"Water it.\"",
            "+ user: Thanks.  messages[2]",
        ]
    );
    assert_eq!(
        lines(&old, &chat(&[question])),
        ["- assistant: Look first.  messages[1]"]
    );
}

#[test]
fn a_shuffle_of_many_stays_readable() {
    let list = |order: &mut dyn Iterator<Item = u32>| {
        let items: Vec<String> = order
            .map(|n| format!("{{\"title\":\"track {n}\"}}"))
            .collect();
        format!("{{\"queue\":[{}]}}", items.join(","))
    };
    let lines = lines(
        &list(&mut (0..200)),
        &list(&mut (0..200).map(|n| n * 73 % 200)),
    );
    assert_eq!(lines.len(), 9);
    assert!(
        lines[8].contains("more in queue: ") && lines[8].ends_with(" moved"),
        "{}",
        lines[8]
    );
}

#[test]
fn a_list_with_repeated_items() {
    let changes =
        |old: &str, new: &str| lines(&format!("{{\"l\":{old}}}"), &format!("{{\"l\":{new}}}"));
    assert_eq!(
        changes(
            "[\"a\",\"x\",\"b\",\"x\",\"c\"]",
            "[\"a\",\"b\",\"x\",\"d\"]"
        ),
        ["- \"x\"  l[1]", "~ \"c\" → \"d\"  l[4 → 3]"]
    );
    assert_eq!(changes("[1,1,1]", "[1,1]"), ["- 1  l[2]"]);
    assert_eq!(changes("[1,2]", "[2,1]").len(), 1);
}

#[test]
fn spelling_is_no_difference_but_not_the_same() {
    for (old, new) in [
        ("{\"a\":\"é\"}", "{\"a\":\"\\u00e9\"}"),
        ("{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":2,\"x\":1}}"),
        ("{\"a\":[{\"x\":1}]}", "{\"a\":[{\"x\": 1}]}"),
        ("{\"a\":{\"x\":0,\"x\":1}}", "{\"a\":{\"x\":7,\"x\":1}}"),
    ] {
        assert_eq!(
            lines(old, new),
            ["  a: only white space, the order of members or spelling differs"]
        );
    }
    assert!(between("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}").is_empty());
    assert_eq!(lines("{\"a\":1.0}", "{\"a\":1.00}"), ["~ a 1.0 → 1.00"]);
    let digits = "1".repeat(400);
    assert_eq!(
        between(&digits, &format!("{digits}.5"))[0].counts.changed,
        1
    );
}

#[test]
fn what_is_no_object_is_one_component() {
    assert_eq!(lines("[1,2]", "[1,2,3]"), ["+ 3  [2]"]);
    assert_eq!(lines("1", "\"x\""), ["~ the whole document 1 → \"x\""]);
    assert_eq!(
        lines("[1]", "{\"a\":{\"name\":\"rope\"}}"),
        [
            "+ a rope (whole component)",
            "- the whole document [1] (whole component)"
        ]
    );
    assert_eq!(
        lines("{\"document\":1}", "{\"document\":2}"),
        ["~ document 1 → 2"]
    );
}

#[test]
fn depth_and_odd_strings_are_no_danger() {
    let deep = |n: usize| format!("{}{n}{}", "[".repeat(9_999), "]".repeat(9_999));
    let found = between(&deep(1), &deep(2));
    assert_eq!(found[0].counts.changed, 1);
    let objects = |n: usize| format!("{}{n}{}", "{\"a\":".repeat(9_999), "}".repeat(9_999));
    assert_eq!(between(&objects(1), &objects(2))[0].counts.changed, 1);
    serde_json::to_string(&found).unwrap();
    let odd = between(
        "{\"a\":[\"\\ud800\"],\"\\ud801\":1}",
        "{\"a\":[\"\\ud802\"],\"\\ud801\":2}",
    );
    assert_eq!(odd.len(), 2);
    serde_json::to_string(&odd).unwrap();
}

#[test]
fn json_has_values_and_not_their_text() {
    let found = between("{\"a\":[{\"n\": 1e400}]}", "{\"a\":[]}");
    let json = serde_json::to_string(&found).unwrap();
    assert!(json.contains("\"before\":{\"n\":1e400}"), "{json}");
    assert!(json.contains("\"bytes_removed\":11"), "{json}");
}

#[test]
fn an_engine_says_what_it_compared() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(folder.path().join("s.db")).unwrap();
    let first = engine.save_json("s", "{\"a\":1}").commit().unwrap();
    let second = engine.save_json("s", "{\"a\": 1}").commit().unwrap();
    let found = engine.diff("s@-1", "s@latest").unwrap();
    let expected = diff(first.clone(), second, false, Vec::new());
    assert_eq!(found, expected);
    assert_eq!(found.lines(9).len(), 1);
    let same: Diff = engine.diff("s@-1", &first.id.to_string()).unwrap();
    assert!(same.identical);
    assert!(engine.diff("s@-1", "nobody").is_err());
}
