using System.Globalization;
using System.Text;

namespace QuadEngine.Data;

/// <summary>
/// Converts the name of a class to the name of a folder, and back. A character that some system does not allow in a name becomes % and two hexadecimal digits: "T-shirt/top" is
/// the folder "T-shirt%2Ftop". Every other name stays as it is.
/// </summary>
public static class ClassFolder
{
    const string Forbidden = "/\\:*?\"<>|";

    // Windows drops these characters at the end of a name. A dot at the start hides a folder.
    const string Ends = ". ";

    /// <summary>Returns the folder name of a class.</summary>
    /// <param name="className">The name of the class; any text.</param>
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

    /// <summary>Returns the class of a folder.</summary>
    /// <param name="folderName">The name of the folder, without its path.</param>
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

    // Only characters that must be escaped are read as escapes. "100%25" is one, "100%41" is not.
    static bool IsEscape(string name, int at) =>
        name[at] == '%' && at + 2 < name.Length && char.IsAsciiHexDigitUpper(name[at + 1]) && char.IsAsciiHexDigitUpper(name[at + 2]) && Escaped(name, at) is var letter && (IsForbidden(letter) || Ends.Contains(letter) || letter == '%');

    static char Escaped(string name, int at) => (char)byte.Parse(name.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    static bool IsForbidden(char letter) => letter < ' ' || Forbidden.Contains(letter);
}
