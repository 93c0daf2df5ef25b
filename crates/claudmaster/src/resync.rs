//! Two texts that were in step and are not any more: where they are in step again.

/// A place is looked for by a run of so many equal bytes.
const RUN: usize = 32;
/// Runs of one text are noted at every so many bytes; an equal part that is longer by this is always found.
const STRIDE: usize = 16;
/// From so many equal bytes on, it is taken at once: anything shorter may be what two list items have in
/// common.
const SURE: usize = 256;
/// How far to look at first.
const NEAR: usize = 256;
/// How many times as far to look next.
const FURTHER: usize = 16;
/// How far to look for something sure before the longest equal part so far is taken.
const PATIENCE: usize = 4096;

/// Finds places; it remembers how much it has looked, because a text that changed all over is not worth it.
#[derive(Debug)]
pub(crate) struct Resync {
    /// By the hash of a run, one more than its place.
    places: Vec<u32>,
    effort: usize,
    /// Grows with each part in a row that was not sure: then they may well be what any two items have in
    /// common, and the texts are out of step by many.
    patience: usize,
}

/// An equal part: where it begins in each text.
#[derive(Debug, Clone, Copy)]
struct Part {
    old: usize,
    new: usize,
    len: usize,
}

impl Resync {
    /// For texts of about `len` bytes.
    pub(crate) fn new(len: usize) -> Self {
        Self {
            places: Vec::new(),
            effort: len / 4 + (64 << 10),
            patience: PATIENCE,
        }
    }

    /// How much of each text comes before the next equal part; `None` where none is found.
    pub(crate) fn find(&mut self, old: &[u8], new: &[u8]) -> Option<(usize, usize)> {
        if old.len() < RUN || new.len() < RUN {
            return None;
        }
        let mut best: Option<Part> = None;
        let out_of_step = self.patience > PATIENCE && self.effort > 0;
        let mut window = if out_of_step { self.patience } else { NEAR };
        loop {
            let part = self.within(window, old, new, &mut best);
            if let Some(part) = part {
                self.patience = PATIENCE;
                return Some((part.old, part.new));
            }
            let spent = old.len().min(window) / STRIDE + new.len().min(window);
            self.effort = self.effort.saturating_sub(spent);
            let all = window >= old.len() && window >= new.len();
            let enough = best.is_some() && window >= self.patience;
            if all || enough || self.effort == 0 {
                self.patience = self.patience.saturating_mul(FURTHER);
                return best.map(|part| (part.old, part.new));
            }
            window = window.saturating_mul(FURTHER);
        }
    }

    /// Something sure in the first `window` bytes; the longest of what is not so sure goes to `best`.
    fn within(
        &mut self,
        window: usize,
        old: &[u8],
        new: &[u8],
        best: &mut Option<Part>,
    ) -> Option<Part> {
        let near = old.get(..window).unwrap_or(old);
        let bits = (near.len() / STRIDE + 1).next_power_of_two().ilog2() + 1;
        self.places.clear();
        self.places.resize(1 << bits, 0);
        // The nearest of equal runs is noted last, and stays.
        for at in (0..near.len()).step_by(STRIDE).rev() {
            let run = near.get(at..at + RUN);
            let place = run.and_then(|run| self.places.get_mut(slot(run, bits)));
            if let (Some(place), Ok(at)) = (place, u32::try_from(at + 1)) {
                *place = at;
            }
        }
        let mut passed = 0;
        let runs = new.get(..window).unwrap_or(new).windows(RUN);
        for (at, run) in runs.enumerate() {
            let place = self.places.get(slot(run, bits)).copied().unwrap_or(0);
            let Some(place) = (place as usize).checked_sub(1).filter(|_| at >= passed) else {
                continue;
            };
            if near.get(place..place + RUN) != Some(run) {
                continue;
            }
            let part = Part::around(old, new, place, at);
            // So near by, it is the same place with a small value changed before it.
            if part.len >= SURE || part.old.max(part.new) <= RUN {
                return Some(part);
            }
            passed = part.new + part.len;
            if best.is_none_or(|best| best.len < part.len) {
                *best = Some(part);
            }
        }
        None
    }
}

impl Part {
    /// The equal part around a run: from where it begins; its length as far as it matters.
    fn around(old: &[u8], new: &[u8], at_old: usize, at_new: usize) -> Self {
        let (before_old, before_new) = (old.get(..at_old), new.get(..at_new));
        let back = same_end(
            before_old.unwrap_or_default(),
            before_new.unwrap_or_default(),
        );
        let (old_at, new_at) = (at_old - back, at_new - back);
        let ahead = |text: &'_ [u8], at: usize| at..(at + SURE).min(text.len());
        let len = same_start(
            old.get(ahead(old, old_at)).unwrap_or_default(),
            new.get(ahead(new, new_at)).unwrap_or_default(),
        );
        Self {
            old: old_at,
            new: new_at,
            len,
        }
    }
}

/// Where a run's place is noted, in a table of 2 to the power of `bits`. Its ends are enough: what is found is
/// compared as a whole.
fn slot(run: &[u8], bits: u32) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (first, last) = (run.first_chunk(), run.last_chunk());
    let word = |bytes: Option<&[u8; 8]>| u64::from_le_bytes(bytes.copied().unwrap_or_default());
    let hash = (word(first) ^ word(last).rotate_left(29)).wrapping_mul(ODD);
    usize::try_from(hash >> (64 - bits)).unwrap_or(0)
}

/// How many bytes are the same from the start on.
pub(crate) fn same_start(a: &[u8], b: &[u8]) -> usize {
    let mut same = 0;
    // Whole pages are compared at the speed of memory, the one that differs in smaller and smaller pieces.
    for piece in [4096, 64, 1] {
        let rest = |text: &'_ [u8]| same..text.len();
        let (a, b) = (a.get(rest(a)), b.get(rest(b)));
        let pieces = a.unwrap_or_default().chunks_exact(piece);
        let pieces = pieces.zip(b.unwrap_or_default().chunks_exact(piece));
        same += piece * pieces.take_while(|(a, b)| a == b).count();
    }
    same
}

/// How many bytes are the same up to the end.
pub(crate) fn same_end(a: &[u8], b: &[u8]) -> usize {
    let mut same = 0;
    for piece in [4096, 64, 1] {
        let rest = |text: &'_ [u8]| ..text.len() - same;
        let (a, b) = (a.get(rest(a)), b.get(rest(b)));
        let pieces = a.unwrap_or_default().rchunks_exact(piece);
        let pieces = pieces.zip(b.unwrap_or_default().rchunks_exact(piece));
        same += piece * pieces.take_while(|(a, b)| a == b).count();
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ends_are_found_to_the_byte() {
        for len in [0, 1, 63, 64, 65, 4095, 4096, 4097, 9000] {
            let text = vec![b'x'; len];
            assert_eq!(same_start(&text, &text), len);
            assert_eq!(same_end(&text, &text), len);
            for at in [0, 1, len / 2, len.saturating_sub(1)] {
                let mut other = text.clone();
                let Some(byte) = other.get_mut(at) else {
                    continue;
                };
                *byte = b'y';
                assert_eq!(same_start(&text, &other), at);
                assert_eq!(same_end(&text, &other), len - at - 1);
                other.extend(b"more");
                assert_eq!(same_start(&text, &other), at);
            }
        }
    }

    #[test]
    fn a_place_is_where_both_agree_from_its_first_byte_on() {
        let message: String = (0..40).map(|n| format!("word {} ", n * n)).collect();
        let old = format!("old{message}");
        let new = format!("something new, and then {message}");
        let found = Resync::new(new.len()).find(old.as_bytes(), new.as_bytes());
        assert_eq!(found, Some((3, 24)));
        assert_eq!(Resync::new(9).find(b"short", b"texts"), None);
    }
}
