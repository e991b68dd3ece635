//! Sees the file change.

use super::asked::Asked;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::{Errno, retry_on_intr};
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long nothing of it is written before it is read: who writes into the place may be in the middle of it.
const QUIET: Duration = Duration::from_millis(100);

/// Has the file read again whenever it was written, or another one has come into its place, by a thread of its own. Where the
/// system has no watch left, nothing is seen.
pub(super) fn start(file: &Path, asked: &Asked) {
    let Some(name) = file.file_name().map(OsStr::to_owned) else { return };
    let directory = file.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let Ok(changes) = changes(directory) else { return };
    let asked = asked.clone();
    std::thread::spawn(move || watch(&changes, &name, &asked));
}

/// The directory and not the file: editors put a new file into the place of the old one.
fn changes(directory: &Path) -> Result<OwnedFd, Errno> {
    let changes = inotify::init(CreateFlags::CLOEXEC)?;
    let seen = WatchFlags::MODIFY | WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO;
    inotify::add_watch(&changes, directory, seen)?;
    Ok(changes)
}

fn watch(changes: &OwnedFd, name: &OsStr, asked: &Asked) {
    // Counted from the last change of that file: what else is in its directory may change without end.
    let mut due = None::<Instant>;
    loop {
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            asked.ask_to_reload();
            due = None;
            continue;
        }
        match is_next(changes, left).and_then(|is_any| Ok(is_any && next(changes, name)?)) {
            Ok(true) => due = Instant::now().checked_add(QUIET),
            Ok(false) => {}
            Err(_) => return,
        }
    }
}

/// Waits for a change: for ever, or for so long. Whether there is one.
fn is_next(changes: &OwnedFd, left: Option<Duration>) -> Result<bool, Errno> {
    let left = left.map(|left| Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() });
    let mut descriptors = [PollFd::new(changes, PollFlags::IN)];
    retry_on_intr(|| poll(&mut descriptors, left.as_ref())).map(|ready| ready > 0)
}

/// Takes a change, and those that have come with it: whether one is of that file, or may have been.
fn next(changes: &OwnedFd, name: &OsStr) -> Result<bool, Errno> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(changes, &mut buffer);
    let mut is_it = false;
    loop {
        let event = match reader.next() {
            Err(Errno::INTR) => continue,
            event => event?,
        };
        // What had no room in the system's queue has no name.
        is_it |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
        is_it |= event.file_name().is_some_and(|changed| changed.to_bytes() == name.as_bytes());
        if reader.is_buffer_empty() {
            return Ok(is_it);
        }
    }
}
