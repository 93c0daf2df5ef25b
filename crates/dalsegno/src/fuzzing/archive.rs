//! Archives that others may have made.

use std::ops::ControlFlow;

use crate::backup::arbitrary;
use crate::engine::Engine;
use crate::options::Options;
use crate::{BackupProgress, RestoreBackup, RestoreSession, list_backups, verify_backup};

/// The bytes as an archive: as its file, as the content of blocks that prove themselves, or of frames that do. Whatever it holds is
/// read, proved, or refused.
pub fn open_archive(data: &[u8]) {
    let Some((how, data)) = data.split_first() else {
        return;
    };
    let bytes = match how % 3 {
        0 => data.to_vec(),
        1 => arbitrary::blocks(data),
        _ => arbitrary::archive(&pieces(data)).unwrap(),
    };
    let go_on = &mut |_: BackupProgress| ControlFlow::Continue(());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dalsegno");
    std::fs::write(&path, bytes).unwrap();
    list_backups(folder.path()).unwrap();
    let whole = verify_backup(&path, None, go_on).is_ok_and(|check| check.is_whole());
    for how in [RestoreBackup::of(&path), RestoreBackup::of(&path).salvage()] {
        let into = folder.path().join("again.db");
        let Ok(restored) = Options::default().restore_backup(&how, &into, go_on) else {
            assert!(!into.exists(), "refused, and something is there");
            continue;
        };
        assert!(!whole || restored.lost.is_empty());
        let engine = Engine::open(&into).unwrap();
        let again = engine.verify(None).unwrap();
        assert_eq!(again.is_intact(), restored.verification.is_intact());
        for session in engine.sessions().unwrap_or_default() {
            let how = RestoreSession::of(&path, &session).named("other");
            drop(engine.restore_session(&how, go_on));
        }
        drop(engine);
        for end in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{end}", into.display())));
        }
    }
}

/// Pieces, each with its length before it; the last may be shorter.
fn pieces(mut data: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        pieces.push(piece.to_vec());
        data = rest;
    }
    pieces
}

/// Inputs to begin with: an archive, its blocks, and its frames.
pub(super) fn archives(fill: impl FnOnce(&Engine)) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(folder.path().join("store.db")).unwrap();
    fill(&engine);
    let path = folder.path().join("a.dalsegno");
    let how = crate::MakeBackup::full(&path).parity(20);
    engine
        .back_up(&how, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    let mut framed = vec![2];
    for content in arbitrary::contents(&path).unwrap() {
        framed.extend(u16::try_from(content.len()).unwrap().to_le_bytes());
        framed.extend(content);
    }
    let file = std::fs::read(&path).unwrap();
    let again = folder.path().join("again.dalsegno");
    std::fs::write(&again, arbitrary::archive(&pieces(&framed[1..])).unwrap()).unwrap();
    let check = verify_backup(&again, None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(check.is_whole(), "{check:?}");
    // Without what stands before each block.
    let content: Vec<u8> = file
        .chunks(1024 + 56)
        .flat_map(|it| it[56..].to_vec())
        .collect();
    let count = file.len() / (1024 + 56);
    let count = u8::try_from(count).unwrap();
    let blocks = [&[1, 1, count / 2, count - 1, 1], &content[..]].concat();
    vec![[&[0], &file[..]].concat(), blocks, framed.clone(), framed]
}
