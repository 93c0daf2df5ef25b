//! Memory for unpacked records, used again: asking the system for megabytes at every restore, and
//! giving them back, takes as long as unpacking them.

use std::cell::RefCell;

use bytes::Bytes;

/// What a thread keeps at most.
const KEEP: usize = 8 << 20;

thread_local! {
    static IDLE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes whose memory is used again once nobody shares them any more.
pub(crate) struct Buffer(Vec<u8>);

impl Buffer {
    /// An empty buffer with room for `len` bytes.
    pub(crate) fn with_room(len: usize) -> Self {
        let idle = IDLE.with_borrow_mut(|idle| {
            let fits = idle.iter().position(|bytes| bytes.capacity() >= len)?;
            Some(idle.swap_remove(fits))
        });
        let mut bytes = idle.unwrap_or_default();
        bytes.clear();
        bytes.reserve_exact(len);
        Self(bytes)
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.0);
        // When the thread ends its list may be gone before the last buffer is.
        let _ended = IDLE.try_with(|idle| {
            let Ok(mut idle) = idle.try_borrow_mut() else {
                return;
            };
            let kept: usize = idle.iter().map(Vec::capacity).sum();
            if kept + bytes.capacity() <= KEEP {
                idle.push(bytes);
            }
        });
    }
}
