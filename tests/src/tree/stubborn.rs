//! A server that refuses for ever what it is asked for, and says that it only takes another try.

use portcullis_component::{Env, Error, Opening, Quota, Sessions};
use portcullis_rpc::{DataspaceCapability, Later, SignalCapability};
use portcullis_sessions::rom::{Rom, Version};
use portcullis_sessions::terminal::{Buffers, Size, Terminal};
use portcullis_shm::{Buffer, RamQuota};

/// Each of its buffers has so many bytes.
const BUFFER: usize = 4096;

/// Serves ROMs for which no donation is enough, and terminals that take nothing.
pub(super) fn stubborn(env: &Env) -> Result<(), Error> {
    env.announce::<dyn Rom, _>(Stubborn)?;
    env.announce::<dyn Terminal, _>(Stubborn)
}

struct Stubborn;

struct NoRom;

struct NoTerminal([Buffer; 2]);

impl Sessions<dyn Rom> for Stubborn {
    type Session = NoRom;

    fn create(&mut self, _: Opening<()>) -> Result<NoRom, Error> {
        Ok(NoRom)
    }
}

impl Sessions<dyn Terminal> for Stubborn {
    type Session = NoTerminal;

    fn needs(&self, (): &()) -> Quota {
        Quota::new(1024, 2)
    }

    fn create(&mut self, opening: Opening<()>) -> Result<NoTerminal, Error> {
        Ok(NoTerminal([opening.budget.buffer(BUFFER)?, opening.budget.buffer(BUFFER)?]))
    }
}

impl Rom for NoRom {
    fn update(&mut self) -> Result<Version, Error> {
        Err(Error::InsufficientRamQuota { missing: RamQuota::default() })
    }

    fn dataspace(&mut self) -> Result<Option<DataspaceCapability>, Error> {
        Ok(None)
    }

    fn changed(&mut self, number: u64) -> Later<Result<u64, Error>> {
        Later::ready(Ok(number))
    }

    fn update_signal(&mut self, _: SignalCapability) -> Result<(), Error> {
        Ok(())
    }
}

impl Terminal for NoTerminal {
    fn size(&mut self) -> Result<Size, Error> {
        Ok(Size { columns: 80, lines: 25 })
    }

    fn buffers(&mut self) -> Result<Buffers, Error> {
        let [input, output] = &self.0;
        Ok(Buffers { input: input.capability().into(), output: output.capability().into() })
    }

    fn available(&mut self, _: u64) -> Result<u32, Error> {
        Ok(0)
    }

    fn read(&mut self, _: u64) -> Later<Result<u32, Error>> {
        Later::ready(Ok(0))
    }

    fn write(&mut self, _: u32) -> Later<Result<u32, Error>> {
        Later::ready(Ok(0))
    }

    fn read_signal(&mut self, _: SignalCapability) -> Result<(), Error> {
        Ok(())
    }

    fn size_signal(&mut self, _: SignalCapability) -> Result<(), Error> {
        Ok(())
    }
}
