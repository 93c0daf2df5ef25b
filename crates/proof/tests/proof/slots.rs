//! The keys of a store, exchanged or called something else with a tool for databases, by one who has none of them.

use dalsegno::{ErrorKind, Secret};
use dalsegno_proof::forge::{NOTE, Row, SLOT, store_id};
use dalsegno_proof::{STORE, on};
use rusqlite::types::Value;

use crate::sealed_flips::Sealed;
use crate::swaps::{SUMS, copy, exchanged, put};

/// Two keys of the store, each in the other's place: neither opens it there.
#[test]
fn slots_in_each_others_place_open_nothing() {
    let sealed = Sealed::small();
    let disk = copy(&sealed.bytes);
    let other = Secret::generate().unwrap();
    let engine = sealed.open(&disk).unwrap();
    engine.add_key(&other, Some("the second")).unwrap();
    engine.close().unwrap();
    let bytes = disk.image(STORE).unwrap();
    let database = copy(&bytes).open(STORE).unwrap();
    let store = store_id(&database);
    let notes = Row::all(&database, &NOTE).into_iter();
    let slots: Vec<Row> = notes.filter(|it| it.int("kind") == SLOT).collect();
    assert_eq!(slots.len(), 2);
    for sum in SUMS {
        let disk = copy(&bytes);
        let database = disk.open(STORE).unwrap();
        assert!(put(
            &database,
            &exchanged([&slots[0], &slots[1]], &["detail"], sum, &store)
        ));
        drop(database);
        for secret in [&sealed.secret, &other] {
            assert!(
                on(&disk).secret(secret.clone()).open(STORE).is_err(),
                "{sum:?}"
            );
        }
    }
}

/// What a key is called stands there in clear, and which it is to be taken away is decided by it.
#[test]
fn another_label_of_a_key_is_noticed() {
    let sealed = Sealed::small();
    let database = copy(&sealed.bytes).open(STORE).unwrap();
    let store = store_id(&database);
    let notes = Row::all(&database, &NOTE).into_iter();
    let mut slots = notes.filter(|it| it.int("kind") == SLOT);
    let mut slot = slots.next().unwrap();
    let mut detail = slot.blob("detail").to_vec();
    let label = memchr::memmem::find(&detail, b"the first").unwrap();
    detail[label..label + 9].copy_from_slice(b"a thief's");
    slot.set("detail", Value::Blob(detail));
    let disk = copy(&sealed.bytes);
    let database = disk.open(STORE).unwrap();
    assert!(put(&database, &[slot.summed(&store)]));
    drop(database);
    let engine = sealed.open(&disk).unwrap();
    assert_eq!(engine.keys().unwrap_err().kind(), ErrorKind::Damaged);
}
