using System.Globalization;
using System.Text;

namespace QuadEngine.Data;

/// <summary>
/// The name of a class as the name of a folder, and back: what some system does not allow in a name becomes % and two hexadecimal digits, "T-shirt/top" is
/// the folder "T-shirt%2Ftop". Every other name stays what it is.
/// </summary>
public static class ClassFolder
{
    const string Forbidden = "/\\:*?\"<>|";

    // Windows drops them at the end; at the start a dot hides a folder.
    const string Ends = ". ";

    /// <summary>The folder of a class.</summary>
    /// <param name="className">Any text.</param>
    public static string NameOf(string className)
    {
        var name = new StringBuilder();
        for (var i = 0; i < className.Length; i++)
        {
            var letter = className[i];
            var escaped = IsForbidden(letter) || (letter == '.' && i == 0) || (i == className.Length - 1 && Ends.Contains(letter)) || IsEscape(className, i);
            name.Append(escaped ? string.Create(CultureInfo.InvariantCulture, $"%{(int)letter:X2}") : letter);
        }

        return name.ToString();
    }

    /// <summary>The class of a folder.</summary>
    /// <param name="folderName">Without its place.</param>
    public static string ClassOf(string folderName)
    {
        var name = new StringBuilder();
        for (var i = 0; i < folderName.Length; i++)
            if (IsEscape(folderName, i))
            {
                name.Append(Escaped(folderName, i));
                i += 2;
            }
            else name.Append(folderName[i]);

        return name.ToString();
    }

    // "100%25" is no escape of anybody's but ours: only what must be escaped is read as one.
    static bool IsEscape(string name, int at) =>
        name[at] == '%' && at + 2 < name.Length && char.IsAsciiHexDigitUpper(name[at + 1]) && char.IsAsciiHexDigitUpper(name[at + 2]) && Escaped(name, at) is var letter && (IsForbidden(letter) || Ends.Contains(letter) || letter == '%');

    static char Escaped(string name, int at) => (char)byte.Parse(name.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    static bool IsForbidden(char letter) => letter < ' ' || Forbidden.Contains(letter);
}
