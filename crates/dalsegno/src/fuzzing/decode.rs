//! The decoders of stored bytes: anything may come, and what is taken means one thing only.

use std::fmt::Debug;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chain::State;
use crate::codec::note::{self, Lease, Request, Writer};
use crate::codec::{block, detail, pack, record};

/// What was taken is not taken with something behind it.
fn nothing_may_follow(data: &[u8], takes: impl FnOnce(&Bytes) -> bool) {
    assert!(
        !takes(&[data, b"\0"].concat().into()),
        "something may follow"
    );
}

/// A record, applied to nothing and then to what it made.
pub fn decode_record(data: &[u8]) {
    let Ok(payload) = pack::unpack(data) else {
        return;
    };
    let Ok(delta) = record::decode(&payload) else {
        return;
    };
    nothing_may_follow(&payload, |bytes| record::decode(bytes).is_ok());
    let again = record::encode(&delta).unwrap();
    assert_eq!(record::decode(&again.into()).unwrap(), delta);
    let mut state = State::default();
    for _ in 0..3 {
        if state.apply(delta.clone()).is_err() {
            return;
        }
        if let Ok(document) = state.document()
            && document.text_len() < 1 << 20
        {
            assert_eq!(document.to_text().len(), document.text_len());
        }
    }
}

/// A block of records.
pub fn decode_block(data: &[u8]) {
    let Ok(payload) = pack::unpack(data) else {
        return;
    };
    let Ok(entries) = block::decode(&payload) else {
        return;
    };
    nothing_may_follow(&payload, |bytes| block::decode(bytes).is_ok());
    assert!(entries.iter().all(|e| e.parent.is_none_or(|p| p < e.seq)));
    // Numbers that stand twice cannot be written, nor is such a block ever asked for them.
    if entries.is_sorted_by(|a, b| a.seq < b.seq) && entries.iter().all(|e| e.parent >= Some(0)) {
        let again = block::encode(&entries).unwrap();
        assert_eq!(block::decode(&Bytes::from(again)).unwrap(), entries);
    }
    for entry in entries {
        drop(record::decode(&entry.record));
    }
}

/// The part of a snapshot's metadata that is one blob.
pub fn decode_detail(data: &[u8]) {
    let Ok(detail) = detail::decode(data) else {
        return;
    };
    nothing_may_follow(data, |bytes| detail::decode(bytes).is_ok());
    let again = detail::encode(&detail).unwrap();
    assert_eq!(detail::decode(&again).unwrap(), detail);
}

/// What a note says, as each of the kinds that there are.
pub fn decode_note(data: &[u8]) {
    fn as_one<T: Debug + PartialEq + Serialize + DeserializeOwned>(data: &[u8]) {
        let Ok(said) = note::decode::<T>(data) else {
            return;
        };
        nothing_may_follow(data, |bytes| note::decode::<T>(bytes).is_ok());
        let again = note::encode(&said).unwrap();
        assert_eq!(note::decode::<T>(&again).unwrap(), said);
    }
    as_one::<Writer>(data);
    as_one::<Lease>(data);
    as_one::<Request>(data);
    as_one::<String>(data);
}
