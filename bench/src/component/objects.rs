//! The objects that are called in the measurements.

use super::interface::{Echo, Factory, Guest};
use crate::error::Error;
use portcullis_entrypoint::{Entrypoint, WeakEntrypoint};
use portcullis_ipc::{self as ipc, Deadline, MsgBuf, Pd, Server};
use portcullis_rpc::{self as rpc, Capability};
use std::collections::VecDeque;
use std::sync::mpsc::channel;

/// An object without a state of its own.
pub(crate) struct Mirror;

impl Echo for Mirror {
    #[inline]
    fn echo(&mut self, bytes: &[u8]) -> Result<Vec<u8>, rpc::Error> {
        Ok(bytes.to_vec())
    }
}

/// A short-lived object lives on for so many others: by then its client has given back the capability, and to
/// dissolve it costs what it costs a server that was told so.
const LIVES: usize = 256;

/// Makes mirrors.
pub(crate) struct MirrorFactory {
    entrypoint: WeakEntrypoint,
    /// The short-lived ones that were made last.
    last: VecDeque<Capability<dyn Echo>>,
}

impl MirrorFactory {
    pub(crate) fn new(entrypoint: &Entrypoint) -> MirrorFactory {
        MirrorFactory { entrypoint: entrypoint.downgrade(), last: VecDeque::with_capacity(LIVES + 1) }
    }

    fn entrypoint(&self) -> Result<Entrypoint, rpc::Error> {
        // It lives while one of its methods runs.
        self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)
    }
}

impl Factory for MirrorFactory {
    fn short_lived(&mut self) -> Result<Capability<dyn Echo>, rpc::Error> {
        let entrypoint = self.entrypoint()?;
        let object: Capability<dyn Echo> = entrypoint.manage(Mirror);
        self.last.push_back(object.clone());
        if self.last.len() > LIVES
            && let Some(oldest) = self.last.pop_front()
        {
            entrypoint.dissolve(&oldest);
        }
        Ok(object)
    }

    fn session(&mut self) -> Result<Capability<dyn Echo>, rpc::Error> {
        Ok(self.entrypoint()?.manage_counted(Mirror, |_, entrypoint| {
            entrypoint.dissolve_current();
        }))
    }

    fn four(&mut self) -> Result<[Capability<dyn Echo>; 4], rpc::Error> {
        let entrypoint = self.entrypoint()?;
        Ok(std::array::from_fn(|_| entrypoint.manage(Mirror)))
    }
}

/// Gets objects of others.
#[derive(Default)]
pub(crate) struct Visitor {
    kept: Vec<Capability<dyn Echo>>,
}

impl Guest for Visitor {
    fn call(&mut self, object: Capability<dyn Echo>) -> Result<(), rpc::Error> {
        object.client().echo(&[]).map(drop)
    }

    fn take(&mut self, _: Capability<dyn Echo>) -> Result<(), rpc::Error> {
        Ok(())
    }

    fn keep(&mut self, object: Capability<dyn Echo>) -> Result<(), rpc::Error> {
        object.client().echo(&[])?;
        self.kept.push(object);
        Ok(())
    }

    fn let_go(&mut self, count: usize) -> Result<(), rpc::Error> {
        self.kept.truncate(self.kept.len().saturating_sub(count));
        Ok(())
    }
}

/// Starts a thread that serves one object by the untyped layer alone: it sends each message back as it is.
pub(crate) fn untyped(pd: &Pd) -> Result<ipc::Capability, Error> {
    let (capability, from_thread) = channel();
    let pd = pd.clone();
    std::thread::spawn(move || {
        let mut server = match Server::new(&pd) {
            Ok(server) => server,
            Err(error) => return capability.send(Err(error)).unwrap_or_default(),
        };
        // Nobody to tell, or no next call: the process is about to end.
        let _ = capability.send(Ok(server.capability()));
        let (mut message, mut last) = (MsgBuf::new(), None);
        while let Ok(request) = server.reply_and_wait(last.take(), &mut message, Deadline::Never) {
            last = Some(request.caller);
        }
    });
    Ok(from_thread.recv().map_err(|_| Error::Misunderstood("an untyped object"))??)
}
