using System.Globalization;
using QuadEngine.Benchmarks.Peers;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    return args is ["worker", .. var rest] ? Worker.Run(rest) : Comparison.Run(args);
}
catch (ArgumentException mistake)
{
    Console.Error.WriteLine(mistake.Message);
    return 2;
}
