//! Text from a small grammar: how the generators write titles, chats and stories.
//!
//! A grammar file has sections `[name]` with one alternative a line. Inside an alternative
//! `{name}` is replaced by an alternative of that section; the rest is kept as it is.
//!
//! | written | becomes |
//! | --- | --- |
//! | `{noun}` | a random line of section `noun` |
//! | `{noun.s}` `{verb.ed}` `{verb.ing}` `{noun.cap}` `{noun.title}` | the same, inflected |
//! | `{3-40}` | a number from 3 to 40 |
//! | `{hex:7}` `{b62:22}` `{b64:11}` | random characters |
//! | `{x=noun}` then `{$x}` | a word that is used again in the same text |
//! | `\n` | a line break |
//!
//! A section headed `[name ~]` is skewed: its first lines are drawn more often than its last
//! ones, as words are in a language. `[name %]` holds many alternatives a line, parted by blanks.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};

use super::inflect::Inflection;
use super::random::Dice;

/// Sections of alternatives, ready to be expanded.
#[derive(Debug)]
pub struct Grammar {
    names: HashMap<String, usize>,
    sections: Vec<Section>,
}

#[derive(Debug, Default)]
struct Section {
    skewed: bool,
    alternatives: Vec<Vec<Token>>,
}

#[derive(Debug)]
enum Token {
    Text(String),
    Section {
        index: usize,
        inflection: Inflection,
        keep_as: Option<String>,
    },
    Kept(String, Inflection),
    Number(u64, u64),
    Hex(usize),
    Base62(usize),
    Base64Url(usize),
}

/// Words kept for the rest of a text, set by `{x=noun}` or given by the caller.
pub type Kept = HashMap<String, String>;

impl Grammar {
    /// Reads a grammar; sections that are used but missing are errors.
    pub fn parse(source: &str) -> Result<Self> {
        let mut grammar = Self {
            names: HashMap::new(),
            sections: Vec::new(),
        };
        let mut current: Option<(usize, bool)> = None;
        for line in source.lines().filter(|l| !l.trim().is_empty()) {
            if let Some(head) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                let mut words = head.split_whitespace();
                let index = grammar.section(words.next().context("a section without a name")?);
                let flags: Vec<&str> = words.collect();
                grammar.sections[index].skewed = flags.contains(&"~");
                current = Some((index, flags.contains(&"%")));
                continue;
            }
            let (index, many) = current.context("an alternative before the first section")?;
            let texts = if many {
                line.split_whitespace().collect()
            } else {
                vec![line]
            };
            for text in texts {
                let tokens = grammar.tokens(text).with_context(|| text.to_owned())?;
                grammar.sections[index].alternatives.push(tokens);
            }
        }
        for (name, &index) in &grammar.names {
            if grammar.sections[index].alternatives.is_empty() {
                bail!("section {name} is used but has no lines");
            }
        }
        Ok(grammar)
    }

    /// A text from section `name`.
    #[must_use]
    pub fn expand(&self, name: &str, dice: &mut Dice) -> String {
        self.expand_with(name, &mut Kept::new(), dice)
    }

    /// A text from section `name` that may use (and add to) words kept before.
    ///
    /// An unknown name gives an empty text: the names are literals of the generators, and their
    /// tests would see it.
    #[must_use]
    pub fn expand_with(&self, name: &str, kept: &mut Kept, dice: &mut Dice) -> String {
        let mut out = String::new();
        if let Some(&index) = self.names.get(name) {
            self.write(index, kept, dice, &mut out);
        }
        out
    }

    fn write(&self, index: usize, kept: &mut Kept, dice: &mut Dice, out: &mut String) {
        let section = &self.sections[index];
        let count = section.alternatives.len();
        let choice = if section.skewed {
            dice.skewed_index(count)
        } else {
            dice.index(count)
        };
        for token in &section.alternatives[choice] {
            match token {
                Token::Text(text) => out.push_str(text),
                Token::Section {
                    index,
                    inflection,
                    keep_as,
                } => {
                    let start = out.len();
                    self.write(*index, kept, dice, out);
                    if let Some(name) = keep_as {
                        kept.insert(name.clone(), out[start..].to_owned());
                    }
                    inflection.apply(out, start);
                }
                Token::Kept(name, inflection) => {
                    let start = out.len();
                    out.push_str(kept.get(name).map_or("", String::as_str));
                    inflection.apply(out, start);
                }
                Token::Number(low, high) => out.push_str(&dice.between(*low, *high).to_string()),
                Token::Hex(len) => out.push_str(&dice.hex(*len)),
                Token::Base62(len) => out.push_str(&dice.base62(*len)),
                Token::Base64Url(len) => out.push_str(&dice.base64_url(*len)),
            }
        }
    }

    fn section(&mut self, name: &str) -> usize {
        let next = self.sections.len();
        let index = *self.names.entry(name.to_owned()).or_insert(next);
        if index == next {
            self.sections.push(Section::default());
        }
        index
    }

    fn tokens(&mut self, text: &str) -> Result<Vec<Token>> {
        let text = text.replace("\\n", "\n");
        let mut tokens = Vec::new();
        let mut rest = text.as_str();
        while let Some(open) = rest.find('{') {
            // `{{` is a plain brace: code has many of them.
            if rest[open..].starts_with("{{") {
                tokens.push(Token::Text(rest[..=open].to_owned()));
                rest = &rest[open + 2..];
                continue;
            }
            if open > 0 {
                tokens.push(Token::Text(rest[..open].to_owned()));
            }
            let close = rest[open..].find('}').context("a brace is not closed")? + open;
            tokens.push(self.slot(&rest[open + 1..close])?);
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            tokens.push(Token::Text(rest.to_owned()));
        }
        Ok(tokens)
    }

    fn slot(&mut self, slot: &str) -> Result<Token> {
        if let Some((kind, len)) = slot.split_once(':') {
            let len = len.parse()?;
            return Ok(match kind {
                "hex" => Token::Hex(len),
                "b62" => Token::Base62(len),
                "b64" => Token::Base64Url(len),
                _ => bail!("unknown characters {kind}"),
            });
        }
        if let Some((low, high)) = slot.split_once('-') {
            return Ok(Token::Number(low.parse()?, high.parse()?));
        }
        let (name, inflection) = match slot.split_once('.') {
            Some((name, ending)) => (name, Inflection::parse(ending)?),
            None => (slot, Inflection::None),
        };
        if let Some(kept) = name.strip_prefix('$') {
            return Ok(Token::Kept(kept.to_owned(), inflection));
        }
        let (keep_as, name) = match name.split_once('=') {
            Some((keep, name)) => (Some(keep.to_owned()), name),
            None => (None, name),
        };
        Ok(Token::Section {
            index: self.section(name),
            inflection,
            keep_as,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_words_kept() {
        let source = "[top]\n{x=pet.cap} and {$x.s}, {7-7} {{braces}\n[pet %]\ncat\n";
        let grammar = Grammar::parse(source).expect("parses");
        let text = grammar.expand("top", &mut Dice::new(1, "t"));
        assert_eq!(text, "Cat and cats, 7 {braces}");
    }

    #[test]
    fn a_missing_section_is_an_error() {
        assert!(Grammar::parse("[top]\n{nothing}\n").is_err());
        assert!(Grammar::parse("[top]\n{open\n").is_err());
    }
}
