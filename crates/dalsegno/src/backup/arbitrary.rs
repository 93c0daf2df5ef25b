//! Archives of arbitrary content: blocks and frames that prove themselves, whatever is in them. For the fuzzer.

use std::io::{Read, Seek};
use std::path::Path;

use super::archive::{Archive, in_clear};
use super::blocks::{Header, Role};
use super::contents::{Head, decode, encode};
use super::frame::{self, Kind};
use super::keys::Keys;
use super::stream::Stream;
use crate::error::{Error, Result};

/// The smallest blocks that there are.
const SIZE: u32 = 1024;

/// Bytes as the content of blocks; the first four say how many blocks of the directory there are to be, where they begin, and how
/// many of content and of parity the last one tells of.
pub(crate) fn blocks(bytes: &[u8]) -> Vec<u8> {
    let Some(([count, from, data, parity], bytes)) = bytes.split_first_chunk::<4>() else {
        return Vec::new();
    };
    let [count, from, data, parity] = [count, from, data, parity].map(|it| u32::from(*it));
    let mut archive = Vec::new();
    let last = (bytes.len() / SIZE as usize) as u32;
    for (index, content) in (0..).zip(bytes.chunks(SIZE as usize)) {
        let mut content = content.to_vec();
        content.resize(SIZE as usize, 0);
        let role = match index {
            _ if index == last && parity > 0 => Role::Parity { data, parity },
            _ if index >= from => Role::Directory { count, from },
            _ => Role::Content,
        };
        let header = Header {
            archive: [7; 16],
            index,
            size: SIZE,
            role,
        };
        archive.extend(header.block(&content));
    }
    archive
}

/// An archive without parity, of frames with these contents: the head, rows, the summary and the table of contents.
pub(crate) fn archive(contents: &[Vec<u8>]) -> Result<Vec<u8>> {
    let [head, rows @ .., summary, last] = contents else {
        return Ok(Vec::new());
    };
    let said = decode::<Head>(head, "beginning").ok();
    let archive = said.as_ref().map_or([7; 16], |it| it.archive);
    let (clear, keys) = (
        in_clear()?,
        Keys::new(said.map_or([7; 16], |it| it.store), None)?,
    );
    let failed = |e| Error::io("making an archive", e);
    let file = tempfile::tempfile().map_err(failed)?;
    let mut stream = Stream::begin(file, archive, SIZE);
    let bytes = |kind, number, keys: &Keys, content: &[u8]| {
        frame::bytes((kind, 0, number), (keys.content_id(content), content), None)
    };
    stream.write(&bytes(Kind::Head, 0, &clear, head)?)?;
    for (content, number) in rows.iter().zip(1..) {
        stream.write(&bytes(Kind::Rows, number, &keys, content)?)?;
    }
    let mut directory = bytes(Kind::Summary, 0, &clear, summary)?;
    directory.extend(bytes(Kind::Contents, 0, &keys, last)?);
    let (mut file, _) = stream.end(&directory)?;
    let mut all = Vec::new();
    file.rewind().map_err(failed)?;
    file.read_to_end(&mut all).map_err(failed)?;
    Ok(all)
}

/// What stands in the frames of an archive that is in clear, as [`archive`] takes it.
pub(crate) fn contents(path: &Path) -> Result<Vec<Vec<u8>>> {
    let archive = Archive::open(path)?;
    let keys = archive.keys(None)?;
    let (mut at, mut contents) = (0, Vec::new());
    while let Some(header) = frame::header(&archive.blocks, at)? {
        let of = match header.kind {
            Kind::Head => &in_clear()?,
            Kind::Rows => &keys,
            Kind::Summary | Kind::Contents => break,
        };
        let whole = frame::whole(&archive.blocks, at)?.unwrap_or_default();
        contents.extend(frame::content(&whole, header.kind, (of, None)));
        at += header.length();
    }
    contents.extend(archive.summary.as_ref().map(encode).transpose()?);
    let all = archive.unlock(&keys)?.contents(&keys)?;
    contents.extend(all.as_ref().map(encode).transpose()?);
    Ok(contents)
}
