//! Saving.

use dalsegno::{Kind, SnapshotId};
use pyo3::prelude::*;
use serde_json::{Map, Value};

use crate::error;
use crate::given::{self, Given};
use crate::handle::Handle;
use crate::ticket::Ticket;

#[pymethods]
impl Handle {
    /// Hands JSON text to the writer.
    #[pyo3(signature = (session, text, *, name, label, description, tags, metadata, kind, turn,
                        schema_version, intent, behalf, pin, expect_newest, expect_new))]
    #[allow(clippy::too_many_arguments)]
    fn submit(
        &self,
        py: Python<'_>,
        session: &str,
        text: Given<'_>,
        name: Option<String>,
        label: Option<String>,
        description: Option<String>,
        tags: Vec<String>,
        metadata: Option<&str>,
        kind: &str,
        turn: Option<i64>,
        schema_version: Option<String>,
        intent: Option<String>,
        behalf: Option<String>,
        pin: bool,
        expect_newest: Option<&str>,
        expect_new: bool,
    ) -> PyResult<Ticket> {
        let text = text.bytes();
        let metadata = metadata.map(|text| members(py, text)).transpose()?;
        let kind: Kind = kind.parse().map_err(|e| error::raise(py, &e))?;
        let newest: Option<SnapshotId> = match expect_newest {
            Some(id) => Some(id.parse().map_err(|e| error::raise(py, &e))?),
            None => None,
        };
        let ticket = self.run(py, move |engine| {
            let mut save = engine.save_json(session, text).kind(kind);
            if let Some(name) = name {
                save = save.name(name);
            }
            if let Some(label) = label {
                save = save.label(label);
            }
            if let Some(description) = description {
                save = save.description(description);
            }
            for tag in tags {
                save = save.tag(tag);
            }
            for (key, value) in metadata.into_iter().flatten() {
                save = save.meta(key, value);
            }
            if let Some(turn) = turn {
                save = save.turn(turn);
            }
            if let Some(version) = schema_version {
                save = save.schema_version(version);
            }
            if let Some(words) = intent {
                save = save.intent(words);
            }
            if let Some(who) = behalf {
                save = save.behalf(who);
            }
            if pin {
                save = save.pin();
            }
            if let Some(id) = newest {
                save = save.expect_newest(id);
            }
            if expect_new {
                save = save.expect_new();
            }
            Ok(save.submit())
        })?;
        Ok(Ticket::of(ticket))
    }
}

/// Free metadata, which comes as JSON text.
fn members(py: Python<'_>, text: &str) -> PyResult<Map<String, Value>> {
    match given::value(py, text.as_bytes(), "the metadata")? {
        Value::Object(members) => Ok(members),
        _ => Err(error::invalid(py, "the metadata is a dict")),
    }
}
