//! The deeds that can be asked for of any program, and that the engine itself carries out.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::request::{Asked, MARK};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Action, Kind};
use crate::restore::{Restore, Target};
use crate::rollback::Back;

/// Their verbs.
pub(super) const VERBS: [&str; 6] = [
    "save",
    "rollback",
    "undo",
    "redo",
    "restore",
    "guard_restore",
];

/// Of `save`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Saving {
    name: Option<String>,
    label: Option<String>,
    description: Option<String>,
    tags: Vec<String>,
    metadata: Map<String, Value>,
    turn: Option<i64>,
    schema_version: Option<String>,
    intent: Option<String>,
    pinned: bool,
    kind: Option<Kind>,
}

/// Of `rollback`: one of both.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Going {
    steps: Option<u32>,
    to: Option<String>,
}

/// Of `restore`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Putting {
    from: String,
    #[serde(default)]
    components: Vec<String>,
}

/// Of `guard_restore`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Merging {
    from: Option<String>,
}

/// Of `undo` and `redo`.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Nothing {}

/// What whoever asks for it wants to do. A verb of the program's own changes what that has open.
pub(super) fn action(verb: &str) -> Action {
    match verb {
        "guard_restore" => Action::Restore,
        verb => verb.parse().unwrap_or(Action::Save),
    }
}

/// Refuses what cannot be asked for of anybody.
pub(super) fn check(verb: &str, arguments: &Value, state: Option<&Bytes>) -> Result<()> {
    match verb {
        "save" => {
            let saving: Saving = read(verb, arguments)?;
            if saving.metadata.contains_key(MARK) {
                return Err(Error::invalid(format!(
                    "metadata has no key '{MARK}' of your own here: it says who asked"
                )));
            }
            if !matches!(saving.kind, None | Some(Kind::Manual | Kind::Auto)) {
                return Err(Error::invalid("only manual and auto can be asked for"));
            }
            if state.is_none() {
                return Err(Error::invalid("there is no state to save"));
            }
        }
        "rollback" => return back(arguments).map(|_| ()),
        "restore" => return read::<Putting>(verb, arguments).map(|_| ()),
        "guard_restore" => return read::<Merging>(verb, arguments).map(|_| ()),
        "undo" | "redo" => return read::<Nothing>(verb, arguments).map(|_| ()),
        _ => {}
    }
    Ok(())
}

/// Carries one of them out; nothing for another verb.
pub(super) fn carry_out(
    engine: &Engine,
    session: &str,
    verb: &str,
    arguments: &Value,
    state: Option<&Bytes>,
    asked: Option<&Asked>,
) -> Result<Option<Value>> {
    check(verb, arguments, state)?;
    let restore = match verb {
        "save" => {
            let state = state.cloned().unwrap_or_default();
            return save(engine, session, read(verb, arguments)?, state, asked).map(Some);
        }
        "rollback" => engine.rollback(session, &back(arguments)?)?,
        "undo" => engine.undo(session)?,
        "redo" => engine.redo(session)?,
        "restore" => {
            let Putting { from, components } = read(verb, arguments)?;
            let of = engine.info(&from)?;
            if of.session != session {
                return Err(Error::invalid(format!(
                    "snapshot {} is of session {}, not of {session}",
                    of.id, of.session
                )));
            }
            let restore = engine.put_back(&of.id.to_string());
            components.into_iter().fold(restore, Restore::component)
        }
        "guard_restore" => {
            let Merging { from } = read(verb, arguments)?;
            let merge = engine.guard_restore(session, from.as_deref())?;
            let (returned, restore) = merge.into_parts();
            let report = restore.map(|restore| apply(restore, asked)).transpose()?;
            return Ok(Some(json!({"returned": returned, "report": report})));
        }
        _ => return Ok(None),
    };
    if restore.target() != Target::Head {
        return Err(Error::invalid(format!(
            "this {verb} writes {}, which nobody has to be asked for: do it without asking",
            restore.target()
        )));
    }
    apply(restore, asked).map(Some)
}

fn save(
    engine: &Engine,
    session: &str,
    saving: Saving,
    state: Bytes,
    asked: Option<&Asked>,
) -> Result<Value> {
    let mut save = engine
        .save_json(session, state)
        .kind(saving.kind.unwrap_or(Kind::Manual));
    if let Some(name) = saving.name {
        save = save.name(name);
    }
    if let Some(label) = saving.label {
        save = save.label(label);
    }
    if let Some(description) = saving.description {
        save = save.description(description);
    }
    for tag in saving.tags {
        save = save.tag(tag);
    }
    for (key, value) in saving.metadata {
        save = save.meta(key, value);
    }
    if let Some(turn) = saving.turn {
        save = save.turn(turn);
    }
    if let Some(version) = saving.schema_version {
        save = save.schema_version(version);
    }
    if let Some(words) = saving.intent {
        save = save.intent(words);
    }
    if saving.pinned {
        save = save.pin();
    }
    if let Some(asked) = asked {
        save = asked.mark(save);
    }
    to_json(&save.commit()?)
}

fn apply(mut restore: Restore<'_>, asked: Option<&Asked>) -> Result<Value> {
    restore.asked = asked.cloned();
    if asked.is_some() {
        // The program's own state has moved on since it was saved, and goes back now.
        restore = restore.even_if_equal();
    }
    to_json(&restore.apply()?)
}

fn back(arguments: &Value) -> Result<Back> {
    match read("rollback", arguments)? {
        Going { to: Some(to), .. } => Ok(Back::To(to)),
        Going { steps, .. } => Ok(Back::Steps(steps.unwrap_or(1))),
    }
}

fn read<T: DeserializeOwned>(verb: &str, arguments: &Value) -> Result<T> {
    let empty = Value::Object(Map::new());
    let arguments = if arguments.is_null() {
        &empty
    } else {
        arguments
    };
    T::deserialize(arguments)
        .map_err(|e| Error::invalid(format!("the arguments of {verb}: {e}")).with_source(e))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|e| Error::storage("the answer cannot be written as JSON").with_source(e))
}
