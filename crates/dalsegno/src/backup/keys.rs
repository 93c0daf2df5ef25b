//! What an archive is sealed by: where its store is encrypted, keys made of the store's; otherwise nothing.

use crate::error::Result;
use crate::key::{self, Key, Part, Place};
use crate::model::StoreId;

use super::blocks::ArchiveId;

/// The keys of all archives of a store.
#[derive(Clone)]
pub(super) struct Keys {
    store: StoreId,
    root: Option<Key>,
    /// For what content is known by.
    ids: Key,
}

/// What a segment is known by, in all archives of a store: the same rows have the same.
pub(super) type ContentId = [u8; 32];

impl Keys {
    /// The keys made of the store's root key; nothing of an archive is sealed where there is none.
    pub(super) fn new(store: StoreId, root: Option<&Key>) -> Result<Self> {
        Ok(Self {
            store,
            root: root.cloned(),
            ids: key::or_known(root).derive("dalsegno backup content", &store)?,
        })
    }

    /// What tells whether two archives have the same keys. It says nothing of the keys.
    pub(super) fn mark(&self) -> Result<[u8; 16]> {
        let root = key::or_known(self.root.as_ref());
        let mark = root.derive("dalsegno backup mark", &self.store)?;
        Ok(mark.sum(b""))
    }

    pub(super) fn content_id(&self, content: &[u8]) -> ContentId {
        self.ids.mac(content)
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.root.is_some()
    }

    /// The key of one archive, where it is sealed.
    pub(super) fn of(&self, archive: &ArchiveId) -> Result<Option<Lock>> {
        let key = self
            .root
            .as_ref()
            .map(|root| root.derive("dalsegno backup", archive));
        Ok(key.transpose()?.map(|key| Lock {
            key,
            store: self.store,
        }))
    }
}

/// Seals and opens the frames of one archive.
pub(super) struct Lock {
    key: Key,
    store: StoreId,
}

impl Lock {
    pub(super) fn seal(&self, kind: u8, number: u32, plain: &[u8]) -> Result<Vec<u8>> {
        self.key.seal(self.place(kind, number), plain)
    }

    pub(super) fn open(&self, kind: u8, number: u32, sealed: &[u8]) -> Option<Vec<u8>> {
        self.key.open(self.place(kind, number), sealed)
    }

    fn place(&self, kind: u8, number: u32) -> Place<'_> {
        Place {
            store: &self.store,
            part: Part::Backup,
            session: i64::from(kind),
            row: i64::from(number),
        }
    }
}
