//! JSON text, indented for reading. Values keep their spelling; only white space changes.

/// Deeper levels are not indented further, or deep documents would grow by the square.
const MAX_INDENT: usize = 32;

/// `text`, which is JSON, with two spaces for each level and a line for each value.
#[must_use]
pub fn pretty(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                out.push(byte);
                while let Some(inner) = bytes.next() {
                    out.push(inner);
                    match inner {
                        b'\\' => out.extend(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'{' | b'[' => {
                out.push(byte);
                while bytes.next_if(|b| super::scan::is_space(*b)).is_some() {}
                if let Some(close) = bytes.next_if(|b| matches!(b, b'}' | b']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            byte if super::scan::is_space(byte) => {}
            byte => out.push(byte),
        }
    }
    out.push(b'\n');
    out
}

fn new_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', 2 * depth.min(MAX_INDENT)));
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn only_white_space_changes() {
        let text = br#" {"a":[1.50e3,"x, {\"}"] ,"b":{ },"c":[ ]}"#;
        let expected =
            "{\n  \"a\": [\n    1.50e3,\n    \"x, {\\\"}\"\n  ],\n  \"b\": {},\n  \"c\": []\n}\n";
        assert_eq!(String::from_utf8(pretty(text)).unwrap(), expected);
    }

    #[test]
    fn deep_documents_do_not_explode() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(pretty(deep.as_bytes()).len() < 100 * deep.len());
    }
}
