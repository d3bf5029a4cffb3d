import { expect } from 'chai';
import { parseProperties } from '../../src/broker/properties.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';

const parsed = (text: string): Record<string, string> => Object.fromEntries(parseProperties(text, 'server.properties'));

describe('properties', () => {
  const cases: Record<string, readonly [string, Record<string, string>]> = {
    'with = and : and blanks': ['a=1\nb:2\nc 3\nd = 4\ne\t:\t5', { a: '1', b: '2', c: '3', d: '4', e: '5' }],
    'with comments and empty lines': ['# no\n  ! no\n\n  a=1\n \t \nb=2 # part of it', { a: '1', b: '2 # part of it' }],
    'with values that hold = and :': [
      'listeners=PLAINTEXT://:9092,A://b:1\nx=a=b',
      { listeners: 'PLAINTEXT://:9092,A://b:1', x: 'a=b' },
    ],
    'without values': ['a\nb=\nc:', { a: '', b: '', c: '' }],
    'over several lines': ['a=1,\\\n    2,\\\n\t3\nb=4', { a: '1,2,3', b: '4' }],
    'with an escaped backslash at the end': ['a=C:\\\\\nb=1', { a: 'C:\\', b: '1' }],
    'with escapes': ['a=\\t\\n\\r\\f\\u00fc\\z\\:', { a: '\t\n\r\füz:' }],
    'with escaped keys': ['a\\ b\\=c\\:=1', { 'a b=c:': '1' }],
    'twice, the last one counts': ['a=1\na=2', { a: '2' }],
    'with trailing blanks, which stay': ['a=1  ', { a: '1  ' }],
    'with any line ends': ['a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
    'ending in a backslash': ['a=1\\', { a: '1' }],
  };
  for (const [what, [text, expected]] of Object.entries(cases)) {
    it(`are read ${what}`, () => {
      expect(parsed(text)).to.deep.equal(expected);
    });
  }

  it('with a broken escape are refused, with file and line', () => {
    expect(() => parsed('a=1\n\nb=\\u12x')).to.throw(SettingsError, 'server.properties, line 3: \\u12x is no character');
  });
});
