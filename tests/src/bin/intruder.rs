//! A hostile component: serves its parent, and tries what it is told to. What it answers is a byte 0 and a text, or a byte 1
//! and the number of an error.

use portcullis_ipc::{Deadline, Error, MsgBuf, Pd, Server};
use portcullis_tests::intruder::attempt::{self, Attempt};
use portcullis_tests::intruder::defiance;

fn main() -> Result<(), Error> {
    attempt::begin();
    let mut server = Server::new(&Pd::new()?)?;
    let (first, _) = server.mint()?;
    server.serve_parent(first)?;
    let mut message = MsgBuf::new();
    loop {
        let request = match server.reply_and_wait(None, &mut message, Deadline::Never) {
            Err(Error::ParentGone) if defiance::defies() => defiance::forever(),
            Err(Error::ParentGone) => return Ok(()),
            request => request?,
        };
        let argument = String::from_utf8_lossy(message.data()).into_owned();
        let outcome = match Attempt::from_number(message.opcode()) {
            Some(attempt) => attempt.perform(&argument),
            None => Err(std::io::ErrorKind::Unsupported.into()),
        };
        message.clear();
        let answer = match outcome {
            Ok(text) => [&[0], text.as_bytes()].concat(),
            Err(error) => [&[1][..], &error.raw_os_error().unwrap_or(libc::EIO).to_le_bytes()].concat(),
        };
        message.write(answer.get(..1000).unwrap_or(&answer))?;
        server.reply(request.caller, &message)?;
        defiance::leave();
    }
}
