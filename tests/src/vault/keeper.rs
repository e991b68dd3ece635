//! What a vault does.

use super::{DONATED, Vault, VaultError};
use portcullis_rpc::DataspaceCapability;
use portcullis_shm::{Attachment, Dataspace, Error, Lingering, RamAccount, RamAllocator, RamQuota, Window};

/// A vault's object.
pub(super) struct Keeper {
    account: RamAccount,
    own: Option<Dataspace>,
    attached: Option<Attachment>,
    kept: Option<DataspaceCapability>,
    lingering: Vec<Lingering>,
}

impl Keeper {
    pub(super) fn new() -> Keeper {
        let account = RamAccount::new(RamQuota::bytes(DONATED));
        Keeper { account, own: None, attached: None, kept: None, lingering: Vec::new() }
    }

    fn attachment(&self, own: bool) -> Result<Attachment, VaultError> {
        if own {
            let own = self.own.as_ref().ok_or(Error::Unattached { place: 0 })?;
            return Ok(own.attach(Window::WHOLE)?);
        }
        Ok(self.attached.clone().ok_or(Error::Unattached { place: 0 })?)
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

impl Vault for Keeper {
    fn make(&mut self, bytes: u64, byte: u8, published: bool) -> Result<DataspaceCapability, VaultError> {
        let allocator = RamAllocator::new(&self.account);
        let make = if published { RamAllocator::alloc_published } else { RamAllocator::alloc };
        let dataspace = make(&allocator, size(bytes))?;
        if byte != 0 {
            dataspace.attach(Window::WHOLE)?.copy_from(0, &vec![byte; size(bytes)])?;
        }
        let capability = dataspace.capability().into();
        self.own = Some(dataspace);
        Ok(capability)
    }

    fn look(&mut self, own: bool, offset: u64, len: u64) -> Result<Vec<u8>, VaultError> {
        Ok(self.attachment(own)?.view(size(offset), size(len))?.to_vec()?)
    }

    fn runs(&mut self, own: bool) -> Result<Vec<(u8, u64)>, VaultError> {
        let bytes = self.attachment(own)?.whole().to_vec()?;
        let runs = bytes.chunk_by(|one, next| one == next);
        Ok(runs.map(|run| (run[0], run.len() as u64)).collect())
    }

    fn store(&mut self, own: bool, offset: u64, bytes: &[u8]) -> Result<(), VaultError> {
        Ok(self.attachment(own)?.copy_from(size(offset), bytes)?)
    }

    fn free(&mut self) -> Result<u64, VaultError> {
        let Some(lingering) = self.own.take().and_then(Dataspace::free) else { return Ok(0) };
        let amount = lingering.amount().in_bytes();
        self.lingering.push(lingering);
        Ok(amount)
    }

    fn settle(&mut self) -> Result<(), VaultError> {
        self.lingering.clear();
        Ok(())
    }

    fn used(&mut self) -> Result<u64, VaultError> {
        Ok(self.account.used().in_bytes())
    }

    fn attach(&mut self, dataspace: DataspaceCapability) -> Result<(), VaultError> {
        self.attached = Some(dataspace.attach(Window::WHOLE)?);
        Ok(())
    }

    fn attach_foreign(&mut self, dataspace: DataspaceCapability, limit: u64) -> Result<(), VaultError> {
        self.attached = Some(dataspace.attach_foreign(size(limit), &self.account)?);
        Ok(())
    }

    fn copy_until_it_is_revoked(&mut self) -> Result<bool, VaultError> {
        let attached = self.attachment(false)?;
        let (mut copy, mut uniform) = (vec![0; attached.len()], true);
        loop {
            match attached.copy_to(0, &mut copy) {
                // Compared as a whole, so that most of the time goes into the copies.
                Ok(()) => uniform &= copy[0] != 0 && copy[1..] == copy[..copy.len() - 1],
                Err(Error::Revoked) => return Ok(uniform),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn detach(&mut self) -> Result<(), VaultError> {
        (self.attached, self.kept) = (None, None);
        Ok(())
    }

    fn keep(&mut self, dataspace: DataspaceCapability) -> Result<(), VaultError> {
        self.kept = Some(dataspace);
        Ok(())
    }

    fn relay(&mut self, dataspace: DataspaceCapability) -> Result<DataspaceCapability, VaultError> {
        Ok(dataspace)
    }
}
