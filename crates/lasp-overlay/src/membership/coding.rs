//! What the messages of all strategies have in common: they begin with a tag, and are measured by encoding them.

/// Measures a type of messages by its encoding, made once.
macro_rules! measured_by_encoding {
    ($message:ty) => {
        impl $crate::wire::Wire for $message {
            fn size(&self) -> usize {
                lasp_crdt::codec::to_bytes(self).len()
            }

            fn digest(&self) -> u64 {
                lasp_crdt::codec::to_bytes(self).as_slice().digest()
            }

            fn measure(&self) -> (usize, u64) {
                self.measure_in(&mut Vec::new())
            }

            fn measure_in(&self, buffer: &mut Vec<u8>) -> (usize, u64) {
                $crate::wire::measure_encoding(self, buffer)
            }
        }
    };
}

/// Reads a strategy's messages by their tag (its `decode_after` reads the rest), and measures them.
macro_rules! tagged_message {
    ($message:ty) => {
        impl lasp_crdt::Decode for $message {
            fn decode(r: &mut lasp_crdt::Reader<'_>) -> Result<Self, lasp_crdt::DecodeError> {
                let at = r.at();
                let tag = r.u8("membership message")?;
                Self::decode_after(tag, at, r)
            }
        }

        $crate::membership::coding::measured_by_encoding!($message);
    };
}

pub(super) use {measured_by_encoding, tagged_message};
