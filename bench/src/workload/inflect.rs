//! English endings for the words of a grammar.

use anyhow::{Result, bail};

/// How a word is changed before it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inflection {
    /// As it is.
    None,
    /// Plural of a noun, third person of a verb.
    S,
    /// Past of a regular verb.
    Ed,
    /// Present participle of a regular verb.
    Ing,
    /// First letter in upper case.
    Cap,
    /// First letter of every word in upper case.
    Title,
    /// With `a` or `an` before it.
    A,
    /// Lower case with blanks as `_`: an identifier.
    Snake,
}

impl Inflection {
    /// Reads the ending of a slot such as `{noun.s}`.
    pub fn parse(ending: &str) -> Result<Self> {
        Ok(match ending {
            "s" => Self::S,
            "ed" => Self::Ed,
            "ing" => Self::Ing,
            "cap" => Self::Cap,
            "title" => Self::Title,
            "a" => Self::A,
            "snake" => Self::Snake,
            _ => bail!("unknown ending {ending}"),
        })
    }

    /// Changes the word that begins at `start` and ends with the text.
    pub fn apply(self, text: &mut String, start: usize) {
        match self {
            Self::None => {}
            Self::S => plural(text),
            Self::Ed => {
                if text.ends_with('e') {
                    text.push('d');
                } else {
                    y_to_i(text);
                    text.push_str("ed");
                }
            }
            Self::Ing => {
                if text.ends_with('e') && !text.ends_with("ee") {
                    text.pop();
                }
                text.push_str("ing");
            }
            Self::Cap => upper_at(text, start),
            Self::Title => {
                let mut at = vec![start];
                at.extend(text[start..].match_indices(' ').map(|(i, _)| start + i + 1));
                for i in at {
                    upper_at(text, i);
                }
            }
            Self::A => {
                let vowel = text[start..].starts_with(['a', 'e', 'i', 'o', 'u']);
                text.insert_str(start, if vowel { "an " } else { "a " });
            }
            Self::Snake => {
                let snake = text[start..].to_lowercase().replace([' ', '-'], "_");
                text.replace_range(start.., &snake);
            }
        }
    }
}

fn plural(text: &mut String) {
    let hisses = ["s", "x", "ch", "sh", "z"]
        .iter()
        .any(|e| text.ends_with(e));
    let ending = if hisses || y_to_i(text) { "es" } else { "s" };
    text.push_str(ending);
}

/// `carry` becomes `carri`, but `play` stays.
fn y_to_i(text: &mut String) -> bool {
    let after_consonant = text
        .strip_suffix('y')
        .is_some_and(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    if after_consonant {
        text.pop();
        text.push('i');
    }
    after_consonant
}

fn upper_at(text: &mut String, at: usize) {
    if let Some(first) = text[at..].chars().next() {
        let upper = first.to_uppercase().to_string();
        text.replace_range(at..at + first.len_utf8(), &upper);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(word: &str, inflection: Inflection) -> String {
        let mut text = format!("> {word}");
        inflection.apply(&mut text, 2);
        text[2..].to_owned()
    }

    #[test]
    fn endings() {
        assert_eq!(changed("berry", Inflection::S), "berries");
        assert_eq!(changed("box", Inflection::S), "boxes");
        assert_eq!(changed("tray", Inflection::S), "trays");
        assert_eq!(changed("carry", Inflection::Ed), "carried");
        assert_eq!(changed("prune", Inflection::Ed), "pruned");
        assert_eq!(changed("prune", Inflection::Ing), "pruning");
        assert_eq!(changed("old mill", Inflection::Title), "Old Mill");
        assert_eq!(changed("amber", Inflection::A), "an amber");
        assert_eq!(changed("Old mill", Inflection::Snake), "old_mill");
    }
}
