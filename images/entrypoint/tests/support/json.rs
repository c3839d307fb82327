//! A checker of JSON (RFC 8259), strict, that gives back what a document holds.

/// A value that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// A member of an object.
    pub fn get(&self, name: &str) -> &Value {
        let Value::Object(members) = self else { panic!("no object: {self:?}") };
        &members.iter().find(|(own, _)| own == name).unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }

    /// A string.
    pub fn text(&self) -> &str {
        let Value::Text(text) = self else { panic!("no string: {self:?}") };
        text
    }

    /// The members of an array.
    pub fn list(&self) -> &[Value] {
        let Value::List(values) = self else { panic!("no array: {self:?}") };
        values
    }
}

/// The value of a document, or where it is none.
pub fn read(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value()?;
    reader.blanks();
    if reader.at == text.len() { Ok(value) } else { Err(format!("more at {}", reader.at)) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take(&mut self, word: &str) -> bool {
        self.blanks();
        let is_there = self.text[self.at..].starts_with(word);
        self.at += if is_there { word.len() } else { 0 };
        is_there
    }

    fn need(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) { Ok(()) } else { Err(format!("no {word} at {}", self.at)) }
    }

    fn value(&mut self) -> Result<Value, String> {
        for (word, value) in [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))] {
            if self.take(word) {
                return Ok(value);
            }
        }
        if self.take("[") {
            return Ok(Value::List(self.members("]", Reader::value)?));
        }
        if self.take("{") {
            let member = |reader: &mut Reader<'_>| {
                let name = reader.string()?;
                reader.need(":")?;
                Ok((name, reader.value()?))
            };
            return Ok(Value::Object(self.members("}", member)?));
        }
        self.string().map(Value::Text)
    }

    fn members<T>(&mut self, end: &str, mut one: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut all = Vec::new();
        if self.take(end) {
            return Ok(all);
        }
        loop {
            all.push(one(self)?);
            if self.take(end) {
                return Ok(all);
            }
            self.need(",")?;
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.need("\"")?;
        let mut units = Vec::new();
        loop {
            let letter = self.letter()?;
            match letter {
                '"' => return String::from_utf16(&units).map_err(|error| error.to_string()),
                '\\' => match self.letter()? {
                    'u' => {
                        let digits = self.text.get(self.at..self.at + 4).ok_or("short")?;
                        units.push(u16::from_str_radix(digits, 16).map_err(|error| error.to_string())?);
                        self.at += 4;
                    }
                    other => {
                        let known = [('n', '\n'), ('r', '\r'), ('t', '\t'), ('b', '\u{8}'), ('f', '\u{c}'), ('"', '"')];
                        let more = [('\\', '\\'), ('/', '/')];
                        let found = known.iter().chain(&more).find(|(name, _)| *name == other);
                        let (_, letter) = found.ok_or(format!("no escape {other:?}"))?;
                        units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
                    }
                },
                _ if letter < ' ' => return Err(format!("a control character at {}", self.at)),
                _ => units.extend_from_slice(letter.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn letter(&mut self) -> Result<char, String> {
        let letter = self.text[self.at..].chars().next().ok_or("it ends within a string")?;
        self.at += letter.len_utf8();
        Ok(letter)
    }
}
