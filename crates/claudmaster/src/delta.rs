//! A text as what it has in common with another one, and the rest.

use crate::resync::{Resync, same_end, same_start};

/// How to make a text from its source: the text that came after it.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    steps: Box<[Step]>,
    /// What the source does not have, in order.
    fresh: Box<[u8]>,
}

/// Take `fresh` bytes of the delta's own, pass over `skip` bytes of the source, copy the next `copy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    fresh: usize,
    skip: usize,
    copy: usize,
}

impl Delta {
    /// What makes `text` from `source`. Equal parts are found in order, at the speed of comparing; around each
    /// change some more is looked at, as far as it takes to be in step again.
    pub(crate) fn between(text: &[u8], source: &[u8]) -> Self {
        let tail = same_end(text, source);
        let body = text.len() - tail;
        let source_body = source.len() - tail;
        let (mut steps, mut fresh) = (Vec::with_capacity(16), Vec::with_capacity(256));
        let (mut at, mut from) = (0, 0);
        let mut next = Step {
            fresh: 0,
            skip: 0,
            copy: 0,
        };
        let mut resync = Resync::new(source.len());
        loop {
            let rest = text.get(at..body).unwrap_or_default();
            let source_rest = source.get(from..source_body).unwrap_or_default();
            let same = same_start(rest, source_rest);
            at += same;
            from += same;
            next.copy = same;
            let (rest, source_rest) = (rest.get(same..), source_rest.get(same..));
            let rest = rest.unwrap_or_default();
            let found = resync.find(rest, source_rest.unwrap_or_default());
            let (own, skip) = found.unwrap_or((rest.len(), source_body - from));
            if found.is_none() && own == 0 && skip == 0 {
                next.copy += tail;
                steps.push(next);
                break;
            }
            if next != Step::NOTHING {
                steps.push(next);
            }
            fresh.extend_from_slice(rest.get(..own).unwrap_or_default());
            at += own;
            from += skip;
            next = Step {
                fresh: own,
                skip,
                copy: 0,
            };
            if found.is_none() {
                next.copy = tail;
                steps.push(next);
                break;
            }
        }
        Self {
            steps: steps.into(),
            fresh: fresh.into(),
        }
    }

    /// The pieces of the text, from those of its source.
    pub(crate) fn apply<'a>(&'a self, source: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::with_capacity(source.len() + 2 * self.steps.len());
        let mut source = Pieces {
            left: source.iter(),
            here: &[],
        };
        let mut fresh = &self.fresh[..];
        for step in &self.steps {
            let (own, rest) = fresh.split_at_checked(step.fresh).unwrap_or((fresh, &[]));
            fresh = rest;
            pieces.push(own);
            source.advance(step.skip, &mut |_| ());
            source.advance(step.copy, &mut |piece| pieces.push(piece));
        }
        pieces
    }

    /// The memory it takes, in bytes.
    pub(crate) fn bytes_held(&self) -> usize {
        self.fresh.len() + size_of_val(&*self.steps)
    }
}

impl Step {
    const NOTHING: Self = Self {
        fresh: 0,
        skip: 0,
        copy: 0,
    };
}

/// A text in pieces, read from its start to its end.
struct Pieces<'p, 'a> {
    left: std::slice::Iter<'p, &'a [u8]>,
    here: &'a [u8],
}

impl<'a> Pieces<'_, 'a> {
    fn advance(&mut self, mut len: usize, passed: &mut impl FnMut(&'a [u8])) {
        while len > 0 {
            if self.here.is_empty() {
                match self.left.next() {
                    Some(piece) => self.here = piece,
                    None => return,
                }
                continue;
            }
            let (piece, rest) = self.here.split_at(len.min(self.here.len()));
            passed(piece);
            self.here = rest;
            len -= piece.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(text: &[u8], source: &[u8]) -> Delta {
        let delta = Delta::between(text, source);
        assert!(delta.apply(&[source]).concat() == text);
        delta
    }

    /// Messages as programs write them: all of them have much in common.
    fn history(turns: std::ops::Range<usize>) -> Vec<String> {
        let said = |n: usize| {
            let word = |w: usize| format!("{} ", (n * 7919 + w * w * 104_729) % 99_991);
            let words: String = (0..30).map(word).collect();
            let role = ["user", "assistant"][n % 2];
            format!(
                "{{\"role\":\"{role}\",\"agent\":\"narrator\",\"turn\":{n},\"content\":\"{words}\",\
                 \"timestamp\":\"2026-11-20T07:{:02}:{:02}\"}}",
                n / 60 % 60,
                n % 60
            )
        };
        turns.map(said).collect()
    }

    fn state(turn: usize, history: &[String]) -> Vec<u8> {
        format!(
            "{{\"session_id\":\"g\",\"turn_count\":{turn},\"conversation_history\":[{}],\
             \"active_agents\":{{\"narrator\":\"done:{turn}\"}},\"metadata\":{{\"torches\":{},\
             \"place\":\"the cellar\"}}}}",
            history.join(","),
            turn / 4
        )
        .into_bytes()
    }

    #[test]
    fn a_delta_is_as_large_as_the_change_wherever_it_is() {
        let whole = history(0..2000);
        let now = state(1000, &whole);
        let small = |what: &str, other: Vec<u8>| {
            for (text, source) in [(&now, &other), (&other, &now)] {
                let held = applied(text, source).bytes_held();
                assert!(held < 3000, "{what}: {held} of {} bytes", text.len());
            }
        };
        small("two messages added", state(1001, &history(0..2002)));
        small("nothing", now.clone());
        small("one at the start gone", state(1001, &whole[1..]));
        small("seven at the start gone", state(1001, &whole[7..]));
        let mut other = whole.clone();
        other.remove(900);
        small("one in the middle gone", state(1001, &other));
        other.swap(300, 1500);
        small("… and two swapped", state(1001, &other));
        other[77] = other[77].replace("content\":\"", "content\":\"Not as before. ");
        small("… and one reworded", state(999, &other));
    }

    /// Items have so much in common that the first places found are wrong ones; it gets back in step soon.
    #[test]
    fn an_added_part_of_any_size_is_passed_over() {
        let whole = history(0..400);
        let mut other = whole.clone();
        other.splice(200..200, history(5000..5500));
        let text = state(1, &whole);
        let held = applied(&text, &state(2, &other)).bytes_held();
        assert!(held < text.len() / 5, "{held} of {}", text.len());
    }

    #[test]
    fn nothing_in_common_is_kept_whole() {
        let (text, source) = (vec![b'a'; 100_000], vec![b'b'; 70_000]);
        assert!(applied(&text, &source).bytes_held() < 100_200);
        applied(b"", b"");
        applied(b"", b"abc");
        applied(b"abc", b"");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(
            words in prop::collection::vec(prop::sample::select(vec![
                "", "a", "ab", "a longer word that is a run of its own, and then some more of it", "\u{e9}", "0",
            ]), 0..60),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, "[ab]{0,80}"), 0..6),
        ) {
            let text = words.concat().into_bytes();
            let mut other = text.clone();
            for (at, len, with) in edits {
                let at = at.index(other.len() + 1);
                let end = (at + len).min(other.len());
                other.splice(at..end, with.into_bytes());
            }
            for (text, source) in [(&text, &other), (&other, &text)] {
                prop_assert_eq!(&Delta::between(text, source).apply(&[source]).concat(), text);
                // From pieces of any cut as well.
                let pieces: Vec<&[u8]> = source.chunks(7).collect();
                prop_assert_eq!(&Delta::between(text, source).apply(&pieces).concat(), text);
            }
        }
    }
}
