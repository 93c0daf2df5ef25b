//! What loss and merge promise, for any lists.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

use super::{End, GuardRule, Merged, loss_in_texts, merge};

/// A state with three lists; what stands in them is alike often.
#[derive(Debug, Clone)]
struct State {
    lists: [Vec<String>; 3],
    spaced: bool,
}

impl State {
    fn text(&self) -> String {
        let (comma, colon) = if self.spaced {
            (" ,\n  ", ": ")
        } else {
            (",", ":")
        };
        let [a, b, c] = &self.lists;
        let (a, b, c) = (a.join(comma), b.join(comma), c.join(comma));
        format!(
            "{{\"n\"{colon}1{comma}\"a\"{colon}[{a}]{comma}\"o\"{colon}{{\"b\"{colon}[{b}]}}{comma}\"c\"{colon}[[{c}]]}}"
        )
    }
}

/// Small values, and objects large enough to be cut out of the text, or into pieces.
fn item() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..6_u8).prop_map(|n| n.to_string()),
        3 => (0..4_u8, 0..3_u8).prop_map(|(id, x)| format!("{{\"id\":{id},\"x\":\"{x}\"}}")),
        1 => (0..3_u8).prop_map(|n| format!("{{\"id\":{n},\"text\":\"{}\"}}", "long".repeat(60))),
        1 => (0..3_u8).prop_map(|n| format!("{{\"id\":{n},\"text\":[\"{}\"]}}", "longer".repeat(900))),
    ]
}

fn state() -> impl Strategy<Value = State> {
    let list = || vec(item(), 0..9);
    (list(), list(), list(), any::<bool>()).prop_map(|(a, b, c, spaced)| State {
        lists: [a, b, c],
        spaced,
    })
}

/// One that came of another: items went, came, moved within a list and to another.
fn next(state: &State) -> impl Strategy<Value = State> + use<> {
    let state = state.clone();
    let edit = (
        0..3_usize,
        0..9_usize,
        option::of((0..3_usize, 0..9_usize)),
        option::of(item()),
    );
    (vec(edit, 0..6), any::<bool>()).prop_map(move |(edits, spaced)| {
        let mut next = State {
            spaced,
            ..state.clone()
        };
        for (list, at, to, new) in edits {
            let from = &mut next.lists[list];
            let taken = (at < from.len()).then(|| from.remove(at));
            if let Some((list, at)) = to {
                let into = &mut next.lists[list];
                let at = at.min(into.len());
                into.extend(taken);
                let end = into.len();
                into[at.min(end)..].rotate_right(usize::from(at < end));
            }
            next.lists[list].extend(new);
        }
        next
    })
}

fn pair() -> impl Strategy<Value = (State, State)> {
    state().prop_flat_map(|earlier| {
        let new = prop_oneof![4 => next(&earlier).boxed(), 1 => state().boxed()];
        (Just(earlier), new)
    })
}

fn end() -> impl Strategy<Value = Option<End>> {
    option::of(prop_oneof![Just(End::Front), Just(End::Back)])
}

fn rule(list: &'static str) -> impl Strategy<Value = GuardRule> {
    (any::<bool>(), end(), end(), option::of(1..6_u32)).prop_map(
        move |(keyed, consumed, trimmed, bound)| GuardRule {
            key: keyed.then(|| "id".to_owned()),
            consumed,
            trimmed,
            bound: bound.filter(|_| trimmed.is_some()),
            ..GuardRule::new(list)
        },
    )
}

fn rules() -> impl Strategy<Value = Vec<GuardRule>> {
    (rule("a"), option::of(rule("o.b"))).prop_map(|(a, b)| [a].into_iter().chain(b).collect())
}

fn plain() -> Vec<GuardRule> {
    vec![GuardRule::new("a"), GuardRule::new("o.b")]
}

/// How often each item stands in a list.
fn counts(items: &[Value]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(item.to_string()).or_default() += 1;
    }
    counts
}

fn lists(text: &[u8]) -> (Value, [Vec<Value>; 2]) {
    let value: Value = serde_json::from_slice(text).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let both = [list(&value["a"]), list(&value["o"]["b"])];
    (value, both)
}

fn is_within(few: &[Value], many: &[Value]) -> bool {
    let mut many = many.iter();
    few.iter().all(|item| many.any(|there| there == item))
}

/// All items of all lists, as often as they are there.
fn everywhere(value: &Value, counts: &mut HashMap<String, usize>) {
    match value {
        Value::Array(items) => {
            for item in items {
                *counts.entry(item.to_string()).or_default() += 1;
                everywhere(item, counts);
            }
        }
        Value::Object(members) => members.values().for_each(|value| everywhere(value, counts)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// What is lost is what is guarded more often than it is anywhere in the new state.
    #[test]
    fn what_is_lost_is_nowhere((earlier, new) in pair()) {
        let loss = loss_in_texts(&plain(), earlier.text().as_bytes(), new.text().as_bytes()).unwrap();
        let (_, had) = lists(earlier.text().as_bytes());
        let mut now = HashMap::new();
        everywhere(&lists(new.text().as_bytes()).0, &mut now);
        let mut wanted = HashMap::new();
        for (item, times) in counts(&had.concat()) {
            let there = now.get(&item).copied().unwrap_or(0);
            if times > there {
                wanted.insert(item, times - there);
            }
        }
        let mut lost = Vec::new();
        for loss in &loss {
            let list = &had[usize::from(loss.list != "a")];
            prop_assert_eq!(loss.before, list.len());
            prop_assert!(loss.lost.is_sorted());
            lost.extend(loss.lost.iter().map(|at| list[*at].clone()));
        }
        prop_assert_eq!(counts(&lost), wanted);
    }

    /// Whatever the rules: the newest state keeps all it had in its order, nothing is lost any more, and a second
    /// time nothing happens.
    #[test]
    fn a_merge_loses_nothing_of_either((earlier, new) in pair(), rules in rules()) {
        let (earlier, new) = (earlier.text(), new.text());
        let (earlier, new) = (earlier.as_bytes(), new.as_bytes());
        let loss = loss_in_texts(&rules, earlier, new).unwrap();
        let Merged::Done(merge) = merge(&rules, earlier, new).unwrap() else {
            prop_assert!(!loss.is_empty(), "where nothing is lost nothing is undecided");
            return Ok(());
        };
        prop_assert_eq!(loss.is_empty(), merge.text == new);
        let returned: usize = merge.returned.iter().map(|list| list.items).sum();
        prop_assert_eq!(returned, loss.iter().map(|loss| loss.lost.len()).sum::<usize>());
        prop_assert_eq!(loss_in_texts(&rules, earlier, &merge.text).unwrap(), []);
        let again = super::merge(&rules, earlier, &merge.text).unwrap();
        prop_assert!(matches!(again, Merged::Done(again) if again.text == merge.text && again.returned.is_empty()));
        let (mut was, news) = lists(new);
        let (mut is, merged) = lists(&merge.text);
        for (new, merged) in news.iter().zip(&merged) {
            prop_assert!(is_within(new, merged));
        }
        // Everything else is as it was.
        for value in [&mut was, &mut is] {
            value["a"].take();
            value["o"]["b"].take();
        }
        prop_assert_eq!(was, is);
    }

    /// Where nothing leaves by nature or to other lists, the fuller state's items are all there in their order,
    /// and none more often than in the state that had it more often.
    #[test]
    fn a_merge_has_both_lists_in_their_order((earlier, new) in pair()) {
        let only = |mut state: State| {
            state.lists[1].clear();
            state.lists[2].clear();
            state.text()
        };
        let (earlier, new) = (only(earlier), only(new));
        let rules = [GuardRule::new("a")];
        let merged = merge(&rules, earlier.as_bytes(), new.as_bytes()).unwrap();
        let Merged::Done(merge) = merged else { return Ok(()) };
        let (_, [had, _]) = lists(earlier.as_bytes());
        let (_, [has, _]) = lists(new.as_bytes());
        let (_, [all, _]) = lists(&merge.text);
        prop_assert!(merge.returned.is_empty() || is_within(&had, &all));
        let (had, has) = (counts(&had), counts(&has));
        for (item, times) in counts(&all) {
            let of = |counts: &HashMap<String, usize>| counts.get(&item).copied().unwrap_or(0);
            prop_assert_eq!(times, of(&had).max(of(&has)));
        }
    }

    /// Where newer items were only appended, it can always be decided.
    #[test]
    fn a_list_that_shrank_and_grew_is_decided(items in vec(item(), 0..20), stay in vec(any::<bool>(), 20), more in vec(item(), 0..5)) {
        let few: Vec<String> = items.iter().zip(stay).filter(|(_, stay)| *stay).map(|(item, _)| item.clone()).collect();
        // Newer ones that are new.
        let more: Vec<String> = more.iter().map(|item| format!("{{\"newer\":{item}}}")).collect();
        let list = |items: &[String]| format!("{{\"a\":[{}]}}", items.join(","));
        let merged = merge(&[GuardRule::new("a")], list(&items).as_bytes(), list(&[few, more.clone()].concat()).as_bytes()).unwrap();
        let Merged::Done(merge) = merged else { panic!("undecided") };
        prop_assert_eq!(String::from_utf8(merge.text).unwrap(), list(&[items, more].concat()));
    }
}
