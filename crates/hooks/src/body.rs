//! What a webhook is told of an event: names, ids and numbers, never content.

use serde_json::{Map, Value};

/// Members that are texts: what happened, when, to what, by whom.
const TEXTS: &[&str] = &["id", "at", "event", "session", "actor"];

/// Members that are ids of snapshots and operations, or lists of them.
const IDS: &[&str] = &[
    "snapshot",
    "snapshots",
    "safety",
    "guard",
    "from",
    "before",
    "head",
    "parent",
    "operation",
    "undone",
];

/// Members that are numbers of things.
const COUNTS: &[&str] = &[
    "count",
    "sessions",
    "deleted",
    "purged",
    "kept",
    "lost",
    "items",
    "damaged",
    "repaired",
    "passed_over",
    "attempts",
    "epoch",
    "missed",
];

/// Members that are true or false.
const FLAGS: &[&str] = &["automatic", "unchanged"];

/// A text of a name or an id is not longer than this; what is, is something else.
const LONGEST: usize = 1024;

/// The body of a webhook for `event`: of its members those that are known to be names, ids or numbers, as
/// long as they are such. What a later event may carry besides is left out until it is put on the list.
#[must_use]
pub fn body(event: &Value) -> Value {
    let mut body = Map::new();
    let members = event.as_object().into_iter().flatten();
    for (name, value) in members {
        let name = name.as_str();
        let allowed = (TEXTS.contains(&name) && is_short(value))
            || (IDS.contains(&name) && is_ids(value))
            || (COUNTS.contains(&name) && value.is_u64())
            || (FLAGS.contains(&name) && value.is_boolean());
        if allowed {
            body.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(body)
}

fn is_short(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.len() <= LONGEST)
}

fn is_ids(value: &Value) -> bool {
    is_id(value) || value.as_array().is_some_and(|ids| ids.iter().all(is_id))
}

/// As ids are written: hexadecimal digits and hyphens. Other texts may be content.
fn is_id(value: &Value) -> bool {
    let written =
        |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    value.is_null() || value.as_str().is_some_and(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_go_out_and_content_stays() {
        let event = json!({
            "id": "01a1fb85-bafe-7126-bc18-b0d0e1cb9f81", "at": "2026-11-21T00:33:27Z", "event": "restored",
            "session": "bot/42", "snapshot": "01a1fb85-bafe-7126-bc18-b0d0e1cb9f81",
            "snapshots": ["01a1", "01a2"], "deleted": 7, "epoch": 3, "automatic": true,
            // None of these is on the list.
            "state": {"messages": ["hello"]}, "label": "before the talk with Ada", "message": "hello",
            "target": "/home/ada/states.json", "path": "/home/ada/states", "metadata": {"k": "v"}, "reason": "clear",
            // On the list, but not what belongs there.
            "from": "hello, how are you", "before": {"a": 1}, "kept": "many", "lost": -1, "count": 1.5,
            "operation": ["01a1", {"a": 1}], "actor": {"a": 1}, "items": ["hello"], "safety": "hello",
            "unchanged": "hello",
        });
        let expected = json!({
            "id": "01a1fb85-bafe-7126-bc18-b0d0e1cb9f81", "at": "2026-11-21T00:33:27Z", "event": "restored",
            "session": "bot/42", "snapshot": "01a1fb85-bafe-7126-bc18-b0d0e1cb9f81",
            "snapshots": ["01a1", "01a2"], "deleted": 7, "epoch": 3, "automatic": true,
        });
        assert_eq!(body(&event), expected);
        assert_eq!(body(&json!("hello")), json!({}));
        assert_eq!(body(&json!({"session": "x".repeat(1025)})), json!({}));
    }

    proptest::proptest! {
        #[test]
        fn members_of_other_names_never_go_out(name in "[a-z_]{1,12}", text: String) {
            let known = [TEXTS, IDS, COUNTS, FLAGS].concat().contains(&name.as_str());
            proptest::prop_assume!(!known);
            proptest::prop_assert_eq!(body(&json!({name: text})), json!({}));
        }
    }
}
