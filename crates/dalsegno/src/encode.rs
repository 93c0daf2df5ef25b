//! From a document to the record that is stored: a delta, or a base where restoring would get slow.

use std::sync::Arc;

use bytes::Bytes;

use crate::chain;
use crate::codec::record;
use crate::delta::Delta;
use crate::document::Document;
use crate::document::lookup::Lookup;
use crate::error::{Error, Result};

/// A state may cost this many times its own size to restore before it is stored as a base. Unpacking
/// runs several times faster than parsing, so that the slowest restore stays within three parsings;
/// more bases would cost more bytes than anything else in a day of saves.
const PATIENCE: u64 = 4;

/// Chains that are this cheap are never worth a base.
const FREE: u64 = 16 << 10;

/// Records of states this large say where their changes stand; smaller ones are rebuilt at once, and the
/// bytes would count beside theirs.
const LARGE: usize = 256 << 10;

/// A document as it will be stored.
pub(crate) enum Encoded {
    /// A record on top of the earlier document's.
    Delta {
        document: Arc<Document>,
        record: Vec<u8>,
        cost: u64,
    },
    /// A record that needs no other.
    Base {
        document: Arc<Document>,
        record: Vec<u8>,
        cost: u64,
    },
}

/// Encodes `document` on top of `earlier`, if there is one, which cost `earlier_cost` to restore.
pub(crate) fn on_top_of(
    earlier: Option<&Lookup<'_>>,
    earlier_cost: u64,
    document: Arc<Document>,
) -> Result<Encoded> {
    let Some(earlier) = earlier else {
        return base(document);
    };
    let mut delta = Delta::between(earlier, &document);
    let size = document.text_len();
    if size >= LARGE {
        delta.locate(earlier.document, &document);
    }
    let record = written(&delta, earlier.document, &document)?;
    let cost = earlier_cost + chain::cost(record.len(), document.items.len());
    if cost > PATIENCE * size as u64 + FREE {
        // A base shares no memory with the chain that it ends.
        return base(Arc::new(document.detached()));
    }
    Ok(Encoded::Delta {
        document,
        record,
        cost,
    })
}

/// Encodes `document` by itself.
fn base(document: Arc<Document>) -> Result<Encoded> {
    let delta = Delta::from_nothing(&document);
    let record = written(&delta, &Document::nothing(), &document)?;
    let cost = chain::cost(record.len(), document.items.len());
    Ok(Encoded::Base {
        document,
        record,
        cost,
    })
}

/// The bytes of `delta`, after reading them again and making sure that they lead to `document`: what is
/// acknowledged must be what can be had back, even if there is a mistake in this program.
fn written(delta: &Delta, earlier: &Document, document: &Document) -> Result<Vec<u8>> {
    let record = Bytes::from(record::encode(delta)?);
    if record::decode(&record)?.leads(earlier, document) {
        Ok(record.into())
    } else {
        Err(Error::storage(
            "the record does not lead back to the state; nothing was saved (this is a bug)",
        ))
    }
}
