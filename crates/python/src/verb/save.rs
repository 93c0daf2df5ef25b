//! Saving.

use bytes::Bytes;
use dalsegno::{Kind, SnapshotId};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use crate::handle::Handle;
use crate::text::Text;
use crate::ticket::Ticket;
use crate::{error, show};

/// JSON text: made of a value, or given.
#[derive(FromPyObject)]
enum Given<'py> {
    Made(PyRef<'py, Text>),
    Bytes(Bound<'py, PyBytes>),
}

impl Given<'_> {
    fn bytes(self) -> Bytes {
        match self {
            Self::Made(text) => text.0.clone(),
            Self::Bytes(text) => Bytes::copy_from_slice(text.as_bytes()),
        }
    }
}

#[pymethods]
impl Handle {
    /// Hands JSON text to the writer.
    #[pyo3(signature = (session, text, *, name, label, description, tags, metadata, kind, turn,
                        schema_version, intent, pin, expect_newest, expect_new))]
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
    let members: Map<String, Value> = serde_json::from_str(text)
        .map_err(|e| error::invalid(py, &format!("the metadata cannot be kept: {e}")))?;
    // Numbers beyond 64 bits would come back as others.
    let again = show::show(py, &members)?;
    let json = py.import("json")?;
    let given = json.call_method1("loads", (text,))?;
    let written = |value| json.call_method1("dumps", (value,));
    if !written(again)?.eq(written(given)?)? {
        let message = "the metadata has a number that cannot be kept exactly; write it as a string";
        return Err(error::invalid(py, message));
    }
    Ok(members)
}
