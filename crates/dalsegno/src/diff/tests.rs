//! Whether a diff is true and whole: applied to the first state, it gives the second.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::change::{ComponentDiff, Difference, DifferenceKind};
use super::compare::texts;
use super::{Diff, diff, near};
use crate::Engine;
use crate::restore::Change;
use crate::store::{MemoryStore, Store};

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

/// Whether the two newest states of a session were compared by their record, after making sure that
/// this gives, both ways, what rebuilding gives.
fn by_record(engine: &Engine, old: &str, new: &str) -> bool {
    let [first, second] =
        [old, new].map(|text| engine.save_json("s", text.to_owned()).commit().unwrap());
    if old == new {
        return true;
    }
    let view = engine.view().unwrap();
    let rows =
        [first, second].map(|snapshot| engine.resolve(&*view, &snapshot.id.to_string()).unwrap());
    let store = &engine.store().info().id;
    let near =
        |from: usize, to: usize| near::components(&*view, store, &rows[from], &rows[to]).unwrap();
    let (there, back) = (near(0, 1), near(1, 0));
    for (found, expected) in [(&there, between(old, new)), (&back, between(new, old))] {
        if let Some(found) = found {
            let lines =
                |all: &[ComponentDiff]| all.iter().flat_map(|c| c.lines(99)).collect::<Vec<_>>();
            assert_eq!(lines(found), lines(&expected));
            assert!(*found == expected, "as lines they are the same");
        }
    }
    assert_eq!(there.is_some(), back.is_some());
    there.is_some()
}

fn in_memory() -> Engine {
    let store = MemoryStore::new(&crate::clock::SystemClock);
    crate::Options::default().on(std::sync::Arc::new(store))
}

fn message(n: usize) -> String {
    format!(
        "{{\"role\":\"user\",\"content\":\"{n} {}\"}}",
        "word ".repeat(200)
    )
}

/// A chat that is long enough for its records to say where changes stand.
fn chat(scalar: usize, messages: &[String], queue: &[String]) -> String {
    format!(
        "{{\"turn\":{scalar},\"inner\":{{\"queue\":[{}],\"x\":{}}},\"cost\":0.{scalar},\"messages\":[{}],\"end\":{}}}",
        queue.join(","),
        scalar / 2,
        messages.join(","),
        scalar % 3
    )
}

#[test]
fn what_programs_do_is_compared_by_the_record() {
    let engine = in_memory();
    let all: Vec<String> = (0..310).map(message).collect();
    let queue: Vec<String> = (900..905).map(message).collect();
    let replaced = [&all[..299], &all[305..306]].concat();
    let before = chat(7, &all[..300], &queue);
    for (what, after) in [
        ("a scalar", chat(8, &all[..300], &queue)),
        ("a message more", chat(7, &all[..301], &queue)),
        ("four more, and scalars", chat(9, &all[..304], &queue)),
        ("two gone", chat(9, &all[..298], &queue)),
        ("the last one anew", chat(9, &replaced, &queue)),
        (
            "the last one anew, and more",
            chat(9, &[&replaced, &all[306..309]].concat(), &queue),
        ),
        ("the first gone", chat(7, &all[1..300], &queue)),
        (
            "one more at the front",
            chat(7, &[&all[301..302], &all[..300]].concat(), &queue),
        ),
        (
            "one more in the middle",
            chat(
                7,
                &[&all[..99], &all[301..302], &all[99..300]].concat(),
                &queue,
            ),
        ),
        (
            "three gone in the middle",
            chat(7, &[&all[..99], &all[102..300]].concat(), &queue),
        ),
        ("two lists", chat(7, &all[..301], &queue[1..])),
        ("two lists and scalars", chat(8, &all[2..300], &queue[1..])),
    ] {
        assert!(by_record(&engine, &before, &after), "{what}");
        assert!(by_record(&engine, &after, &before), "{what}, back");
    }
}

#[test]
fn what_a_record_cannot_tell_is_rebuilt() {
    let engine = in_memory();
    let all: Vec<String> = (0..301).map(message).collect();
    let before = chat(7, &all[..300], &[]);
    let thing = |id: u8| {
        format!(
            "{{\"thing\":{{\"id\":{id},\"pad\":\"{}\"}},",
            "x".repeat(5000)
        )
    };
    let with = |member: String| before.replacen('{', &member, 1);
    let doubled = before.replacen("{\"turn\":7", "{\"turn\":7,\"turn\":7", 1);
    let after = before.replacen("\"turn\":7", "\"turn\":8", 1);
    for (what, old, new) in [
        ("which thing it is", with(thing(7)), with(thing(8))),
        (
            "a member more",
            before.clone(),
            before.replacen('{', "{\"new\":1,", 1),
        ),
        (
            "white space",
            before.clone(),
            before.replace(",\"cost\"", ", \"cost\""),
        ),
        (
            "a name twice",
            doubled.clone(),
            doubled.replacen("\"turn\":7", "\"turn\":8", 1),
        ),
        (
            "moved",
            before.clone(),
            chat(7, &[&all[5..300], &all[..5]].concat(), &[]),
        ),
        (
            "two places in a list",
            before.clone(),
            chat(7, &all[1..301], &[]),
        ),
        (
            "in a list in a list",
            format!("[[{}],1]", all.join(",")),
            format!("[[{}],1]", all[..200].join(",")),
        ),
    ] {
        assert!(!by_record(&engine, &old, &new), "{what}");
    }
    // Not neighbours.
    engine.save_json("s", before).commit().unwrap();
    engine.save_json("s", after.clone()).commit().unwrap();
    engine
        .save_json("s", after.replacen("\"turn\":8", "\"turn\":9", 1))
        .commit()
        .unwrap();
    assert_eq!(engine.diff("s@-2", "s@latest").unwrap().counts().changed, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("DALSEGNO_LONG").is_some() { 5000 } else { 150 }))]

    #[test]
    fn the_record_says_what_rebuilding_says(
        edits in prop::collection::vec((0..12u8, any::<prop::sample::Index>(), 0..6usize, 0..400usize), 1..5),
        steps in 1..4usize,
        layout in 0..3u8,
    ) {
        let engine = in_memory();
        let mut messages: Vec<String> = (0..280).map(message).collect();
        let mut queue: Vec<String> = (0..4).map(|n| format!("{}", n * 1000)).collect();
        let mut scalar = 1;
        let mut text = chat(scalar, &messages, &queue);
        for _ in 0..steps {
            for (what, at, count, n) in &edits {
                let list = if what % 2 == 0 { &mut messages } else { &mut queue };
                let at = at.index(list.len() + 1);
                let end = (at + count).min(list.len());
                match what / 2 {
                    0 => drop(list.splice(at..at, (*n..n + count).map(message))),
                    1 => drop(list.drain(at..end)),
                    2 => drop(list.splice(at..end, (*n..n + count).map(|n| format!("{{\"id\":{n},\"x\":[{n}]}}")))),
                    3 => list.extend((*n..n + count).map(message)),
                    4 => list.push(format!("{{\"role\":\"user\",\"content\":\"{}\"}}", "long ".repeat(1000))),
                    _ => scalar += n,
                }
            }
            let mut next = chat(scalar, &messages, &queue);
            if layout == 1 {
                next = String::from_utf8(crate::pretty(next.as_bytes())).unwrap();
            }
            by_record(&engine, &text, &next);
            text = next;
        }
    }
}

#[test]
fn neighbours_are_compared_without_a_look_at_the_first_record() {
    let store = std::sync::Arc::new(MemoryStore::new(&crate::clock::SystemClock));
    let engine = crate::Options::default().on(std::sync::Arc::clone(&store) as _);
    let mut messages: Vec<String> = (0..300).map(message).collect();
    for n in 300..303 {
        engine
            .save_json("s", chat(n, &messages, &[]))
            .commit()
            .unwrap();
        messages.push(message(n));
    }
    let view = store.view().unwrap();
    let first = engine.resolve(&*view, "s@-2").unwrap();
    let row = view.record(first.session, first.seq).unwrap().unwrap();
    let mut bent = row.clone();
    bent.data.truncate(9);
    drop(view);
    let of = |record| crate::store::Rows {
        records: vec![record],
        ..Default::default()
    };
    let exchange = crate::store::Exchange {
        take: of(row),
        put: of(bent),
    };
    assert!(store.exchange(&exchange).unwrap());
    assert_eq!(engine.diff("s@-1", "s@-0").unwrap().counts().added, 1);
    assert_eq!(engine.diff("s@-2", "s@-1").unwrap().counts().added, 1);
    let error = engine.diff("s@-2", "s@-0").unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Damaged);
    assert!(error.to_string().contains("cannot be restored"), "{error}");
}
