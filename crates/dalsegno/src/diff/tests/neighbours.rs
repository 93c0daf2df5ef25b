//! Whether the record between two neighbours says what rebuilding both says.

use proptest::prelude::*;

use super::super::change::ComponentDiff;
use super::super::near;
use super::between;
use crate::Engine;
use crate::store::{MemoryStore, Store};

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
    let exchange = crate::store::Exchange::of(of(row), of(bent));
    assert!(store.exchange(&exchange).unwrap());
    assert_eq!(engine.diff("s@-1", "s@-0").unwrap().counts().added, 1);
    assert_eq!(engine.diff("s@-2", "s@-1").unwrap().counts().added, 1);
    let error = engine.diff("s@-2", "s@-0").unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Damaged);
    assert!(error.to_string().contains("cannot be restored"), "{error}");
}
