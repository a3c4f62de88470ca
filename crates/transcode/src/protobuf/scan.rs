//! Reads the fields of an encoded message in order.

use super::ProtobufError;

/// The encoded value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Payload<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'b [u8]),
    /// The content of a group.
    Group(&'b [u8]),
}

/// The part of a message that is not read yet.
pub(super) struct Scanner<'b> {
    rest: &'b [u8],
}

const GROUPS: usize = 100;

impl<'b> Scanner<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns the number and value of the next field.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Payload<'b>)>, ProtobufError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.key()?;
        let payload = match wire_type {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(self.fixed64()?),
            2 => Payload::Bytes(self.bytes()?),
            3 => Payload::Group(self.group(number)?),
            5 => Payload::Fixed32(self.fixed32()?),
            _ => return Err(ProtobufError::Key),
        };
        Ok(Some((number, payload)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn varint(&mut self) -> Result<u64, ProtobufError> {
        if let [byte @ 0..=0x7f, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        let mut value = 0_u64;
        for (at, byte) in self.rest.iter().take(10).enumerate() {
            if at == 9 && *byte > 1 {
                return Err(ProtobufError::Varint);
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { ProtobufError::Truncated } else { ProtobufError::Varint })
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, ProtobufError> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(ProtobufError::Truncated)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*first))
    }

    pub(super) fn fixed32(&mut self) -> Result<u32, ProtobufError> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(ProtobufError::Truncated)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*first))
    }

    fn key(&mut self) -> Result<(u32, u8), ProtobufError> {
        let key = u32::try_from(self.varint()?).map_err(|_| ProtobufError::Key)?;
        let wire_type = key.to_le_bytes()[0] & 7;
        match key >> 3 {
            0 => Err(ProtobufError::Key),
            number => Ok((number, wire_type)),
        }
    }

    fn bytes(&mut self) -> Result<&'b [u8], ProtobufError> {
        let length = usize::try_from(self.varint()?).map_err(|_| ProtobufError::Truncated)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(ProtobufError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn group(&mut self, number: u32) -> Result<&'b [u8], ProtobufError> {
        let start = self.rest;
        let mut open = vec![number];
        loop {
            let inside = start.len() - self.rest.len();
            let (number, wire_type) = self.key()?;
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.fixed64()?),
                2 => drop(self.bytes()?),
                3 if open.len() == GROUPS => return Err(ProtobufError::Depth),
                3 => open.push(number),
                4 if open.pop() != Some(number) => return Err(ProtobufError::Key),
                4 if open.is_empty() => return Ok(&start[..inside]),
                4 => {}
                5 => drop(self.fixed32()?),
                _ => return Err(ProtobufError::Key),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<(u32, Payload<'_>)>, ProtobufError> {
        let mut scanner = Scanner::new(bytes);
        let mut fields = Vec::new();
        while let Some(field) = scanner.next()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn every_wire_type_is_read() {
        let bytes = [
            0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'a', b'b', 0x25, 2, 0, 0, 0, 0x2b, 0x08, 1, 0x2c,
        ];
        let expected = vec![
            (1, Payload::Varint(150)),
            (2, Payload::Fixed64(1)),
            (3, Payload::Bytes(b"ab")),
            (4, Payload::Fixed32(2)),
            (5, Payload::Group(&[0x08, 1])),
        ];
        assert_eq!(all(&bytes), Ok(expected));
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        assert_eq!(all(&[0x08]), Err(ProtobufError::Truncated));
        assert_eq!(all(&[0x08, 0x80]), Err(ProtobufError::Truncated));
        assert_eq!(all(&[0x0a, 5, 1]), Err(ProtobufError::Truncated));
        assert_eq!(all(&[0x0d, 1]), Err(ProtobufError::Truncated));
        assert_eq!(all(&[0x00, 1]), Err(ProtobufError::Key));
        assert_eq!(all(&[0x0e, 1]), Err(ProtobufError::Key));
        assert_eq!(all(&[0x0c]), Err(ProtobufError::Key));
        assert_eq!(all(&[0x0b, 0x14]), Err(ProtobufError::Key));
        assert_eq!(all(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]), Err(ProtobufError::Varint));
        assert_eq!(all(&[0x0b; 200]), Err(ProtobufError::Depth));
    }
}
