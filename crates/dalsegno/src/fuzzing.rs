//! The bodies of the fuzz targets: bytes in, a panic where a promise is broken.
//!
//! They live here because decoders are private; ordinary tests run them too.
#![allow(clippy::panic, clippy::unwrap_used)] // a failing test
#![allow(missing_docs)]

mod archive;
mod decode;
mod history;
mod live;
mod model;
mod play;
mod purge;
mod samples;
mod stores;
mod text;
mod verb;

pub use archive::open_archive;
pub use decode::{decode_block, decode_detail, decode_note, decode_record};
pub use play::{Place, play};
pub use purge::{STEP, Step, purge};
pub use samples::samples;
pub use stores::{import_export, open_store};
pub use text::{split_json, takes, turn_of};
pub use verb::{VERB, Verb};

use std::sync::Arc;

use crate::clock::SystemClock;
use crate::store::MemoryStore;

/// What a target does with its input.
pub type Body = fn(&[u8]);

/// Every target by its name, as the fuzz crate and the tests know it.
pub const TARGETS: [(&str, Body); 9] = [
    ("decode_record", decode_record),
    ("decode_block", decode_block),
    ("decode_detail", decode_detail),
    ("decode_note", decode_note),
    ("split_json", split_json),
    ("engine_vs_model", engine_vs_model),
    ("open_store", open_store),
    ("open_archive", open_archive),
    ("import_export", import_export),
];

/// An engine does what the bytes say, and a model beside it.
pub fn engine_vs_model(data: &[u8]) {
    let verbs = data.as_chunks::<VERB>().0.iter().take(200);
    let verbs: Vec<Verb> = verbs.map(|bytes| Verb::of(*bytes)).collect();
    play(&Place::Memory, &verbs);
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(&SystemClock))
}
