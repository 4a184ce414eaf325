"""The papers behind the methods, the theorems and the test networks, and the tool itself."""

from dataclasses import dataclass

from milpcount import __version__
from milpcount.errors import OptionError


@dataclass(frozen=True)
class Citation:
    """One BibTeX entry.

    Attributes
    ----------
    key : str
    kind : str
        Type of the entry, e.g. ``article``.
    fields : dict
        Fields of the entry.
    topics : tuple of str
        Other names it is found by: methods, theorems.
    """

    key: str
    kind: str
    fields: dict[str, str]
    topics: tuple[str, ...] = ()

    def bibtex(self) -> str:
        """Return the entry as BibTeX."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


TOOL = Citation(
    "milpcount",
    "software",
    {
        "title": "{milpcount}: counting and bounding the linear regions of neural networks",
        "author": "{The milpcount authors}",
        "version": __version__,
        "year": "2026",
    },
    ("tool",),
)

PAPERS = (
    Citation(
        "serra2018",
        "inproceedings",
        {
            "author": "Serra, Thiago and Tjandraatmadja, Christian and Ramalingam, Srikumar",
            "title": "Bounding and Counting Linear Regions of Deep Neural Networks",
            "booktitle": "Proceedings of the 35th International Conference on Machine Learning",
            "series": "Proceedings of Machine Learning Research",
            "volume": "80",
            "pages": "4558--4566",
            "year": "2018",
        },
        ("pool", "upper bound", "activation_patterns"),
    ),
    Citation(
        "serra2020",
        "inproceedings",
        {
            "author": "Serra, Thiago and Ramalingam, Srikumar",
            "title": "Empirical Bounds on Linear Regions of Deep Rectifier Networks",
            "booktitle": "Proceedings of the AAAI Conference on Artificial Intelligence",
            "volume": "34",
            "number": "04",
            "pages": "5628--5635",
            "year": "2020",
        },
        ("mnist", "mbound"),
    ),
    Citation(
        "gomes2006",
        "inproceedings",
        {
            "author": "Gomes, Carla P. and Sabharwal, Ashish and Selman, Bart",
            "title": "Model Counting: A New Strategy for Obtaining Good Bounds",
            "booktitle": "Proceedings of the 21st National Conference on Artificial Intelligence",
            "pages": "54--61",
            "publisher": "AAAI Press",
            "year": "2006",
        },
        ("mbound",),
    ),
    Citation(
        "danna2007",
        "inproceedings",
        {
            "author": "Danna, Emilie and Fenelon, Mary and Gu, Zonghao and Wunderling, Roland",
            "title": "Generating Multiple Solutions for Mixed Integer Programming Problems",
            "booktitle": "Integer Programming and Combinatorial Optimization",
            "series": "Lecture Notes in Computer Science",
            "volume": "4513",
            "pages": "280--294",
            "publisher": "Springer",
            "year": "2007",
        },
        ("pool", "one_tree"),
    ),
    Citation(
        "goldfarb1983",
        "article",
        {
            "author": "Goldfarb, D. and Idnani, A.",
            "title": "A numerically stable dual method for solving strictly convex quadratic"
            " programs",
            "journal": "Mathematical Programming",
            "volume": "27",
            "number": "1",
            "pages": "1--33",
            "year": "1983",
        },
        ("tree", "projection"),
    ),
    Citation(
        "higham2002",
        "book",
        {
            "author": "Higham, Nicholas J.",
            "title": "Accuracy and Stability of Numerical Algorithms",
            "edition": "2nd",
            "publisher": "SIAM",
            "year": "2002",
        },
        ("tree", "rounding"),
    ),
    Citation(
        "huangfu2018",
        "article",
        {
            "author": "Huangfu, Qi and Hall, J. A. Julian",
            "title": "Parallelizing the dual revised simplex method",
            "journal": "Mathematical Programming Computation",
            "volume": "10",
            "number": "1",
            "pages": "119--142",
            "year": "2018",
        },
        ("highs",),
    ),
    Citation(
        "lam2015",
        "inproceedings",
        {
            "author": "Lam, Siu Kwan and Pitrou, Antoine and Seibert, Stanley",
            "title": "Numba: a {LLVM}-based {Python} {JIT} compiler",
            "booktitle": "Proceedings of the Second Workshop on the LLVM Compiler Infrastructure"
            " in HPC",
            "year": "2015",
        },
        ("numba", "tree"),
    ),
    Citation(
        "lecun1998",
        "article",
        {
            "author": "LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and Haffner, Patrick",
            "title": "Gradient-based learning applied to document recognition",
            "journal": "Proceedings of the IEEE",
            "volume": "86",
            "number": "11",
            "pages": "2278--2324",
            "year": "1998",
        },
        ("mnist",),
    ),
    Citation(
        "montufar2014",
        "inproceedings",
        {
            "author": "Mont{\\'u}far, Guido and Pascanu, Razvan and Cho, Kyunghyun and Bengio,"
            " Yoshua",
            "title": "On the Number of Linear Regions of Deep Neural Networks",
            "booktitle": "Advances in Neural Information Processing Systems",
            "volume": "27",
            "pages": "2924--2932",
            "year": "2014",
        },
        ("folding",),
    ),
    Citation(
        "neumaier2004",
        "article",
        {
            "author": "Neumaier, Arnold and Shcherbina, Oleg",
            "title": "Safe bounds in linear and mixed-integer linear programming",
            "journal": "Mathematical Programming",
            "volume": "99",
            "number": "2",
            "pages": "283--296",
            "year": "2004",
        },
        ("pool", "tighten"),
    ),
    Citation(
        "stanley2007",
        "incollection",
        {
            "author": "Stanley, Richard P.",
            "title": "An Introduction to Hyperplane Arrangements",
            "booktitle": "Geometric Combinatorics",
            "series": "IAS/Park City Mathematics Series",
            "volume": "13",
            "pages": "389--496",
            "publisher": "American Mathematical Society",
            "year": "2007",
        },
        ("braid",),
    ),
    Citation(
        "stargalla2025",
        "inproceedings",
        {
            "author": "Stargalla, Moritz and Hertrich, Christoph and Reichman, Daniel",
            "title": "The Computational Complexity of Counting Linear Regions in {ReLU} Neural"
            " Networks",
            "booktitle": "Advances in Neural Information Processing Systems",
            "note": "arXiv:2505.16716",
            "year": "2025",
        },
        ("definitions", "linear_regions", "affine_pieces"),
    ),
    Citation(
        "telgarsky2015",
        "misc",
        {
            "author": "Telgarsky, Matus",
            "title": "Representation Benefits of Deep Feedforward Networks",
            "note": "arXiv:1509.08101",
            "year": "2015",
        },
        ("tent",),
    ),
    Citation(
        "zaslavsky1975",
        "book",
        {
            "author": "Zaslavsky, Thomas",
            "title": "Facing up to Arrangements: Face-Count Formulas for Partitions of Space by"
            " Hyperplanes",
            "series": "Memoirs of the American Mathematical Society",
            "volume": "1",
            "number": "154",
            "publisher": "American Mathematical Society",
            "year": "1975",
        },
        ("arrangement",),
    ),
    Citation(
        "arora2018",
        "inproceedings",
        {
            "author": "Arora, Raman and Basu, Amitabh and Mianjy, Poorya and Mukherjee, Anirbit",
            "title": "Understanding Deep Neural Networks with Rectified Linear Units",
            "booktitle": "International Conference on Learning Representations",
            "note": "arXiv:1611.01491",
            "year": "2018",
        },
        ("zonotope",),
    ),
    Citation(
        "hanin2019a",
        "inproceedings",
        {
            "author": "Hanin, Boris and Rolnick, David",
            "title": "Complexity of Linear Regions in Deep Networks",
            "booktitle": "Proceedings of the 36th International Conference on Machine Learning",
            "series": "Proceedings of Machine Learning Research",
            "volume": "97",
            "note": "arXiv:1901.09021",
            "year": "2019",
        },
        ("expected", "hanin2019-volume"),
    ),
    Citation(
        "hanin2019b",
        "inproceedings",
        {
            "author": "Hanin, Boris and Rolnick, David",
            "title": "Deep {ReLU} Networks Have Surprisingly Few Activation Patterns",
            "booktitle": "Advances in Neural Information Processing Systems",
            "volume": "32",
            "pages": "361--370",
            "note": "arXiv:1906.00904",
            "year": "2019",
        },
        ("expected", "hanin2019-regions"),
    ),
    Citation(
        "hinz2019",
        "article",
        {
            "author": "Hinz, Peter and van de Geer, Sara",
            "title": "A Framework for the Construction of Upper Bounds on the Number of Affine"
            " Linear Regions of {ReLU} Feed-Forward Neural Networks",
            "journal": "IEEE Transactions on Information Theory",
            "volume": "65",
            "note": "arXiv:1806.01918",
            "year": "2019",
        },
        ("upper bound",),
    ),
    Citation(
        "hu2018",
        "misc",
        {
            "author": "Hu, Qiang and Zhang, Hao",
            "title": "Nearly-Tight Bounds on Linear Regions of Piecewise Linear Neural Networks",
            "note": "arXiv:1810.13192",
            "year": "2018",
        },
        (
            *("hu-zhang-1", "hu-zhang-2", "hu-zhang-3", "hu-zhang-lemma2", "hu-zhang-prop1"),
            *("hu-zhang-prop1-fewer", "hu-zhang-prop2", "hu-zhang-11", "piecewise linear"),
        ),
    ),
    Citation(
        "montufar2017",
        "misc",
        {
            "author": "Mont{\\'u}far, Guido",
            "title": "Notes on the number of linear regions of deep neural networks",
            "note": "Sampling Theory and Applications (SampTA), Tallinn",
            "year": "2017",
        },
        ("upper bound",),
    ),
    Citation(
        "montufar2022",
        "article",
        {
            "author": "Mont{\\'u}far, Guido and Ren, Yue and Zhang, Leon",
            "title": "Sharp bounds for the number of regions of maxout networks and vertices of"
            " {Minkowski} sums",
            "journal": "SIAM Journal on Applied Algebra and Geometry",
            "volume": "6",
            "note": "arXiv:2104.08135",
            "year": "2022",
        },
        ("maxout", "montufar2022-product", "layer-product"),
    ),
    Citation(
        "nakahara2025",
        "misc",
        {
            "author": "Nakahara, Yuta and Kobayashi, Manabu and Matsushima, Toshiyasu",
            "title": "A Lower Bound for the Number of Linear Regions of Ternary {ReLU} Regression"
            " Neural Networks",
            "note": "arXiv:2507.16079",
            "year": "2025",
        },
        ("ternary", "nakahara-1"),
    ),
    Citation(
        "pascanu2013",
        "misc",
        {
            "author": "Pascanu, Razvan and Mont{\\'u}far, Guido and Bengio, Yoshua",
            "title": "On the number of response regions of deep feed forward networks with"
            " piece-wise linear activations",
            "note": "arXiv:1312.6098",
            "year": "2013",
        },
        ("folding",),
    ),
    Citation(
        "raghu2017",
        "inproceedings",
        {
            "author": "Raghu, Maithra and Poole, Ben and Kleinberg, Jon and Ganguli, Surya and"
            " Sohl-Dickstein, Jascha",
            "title": "On the Expressive Power of Deep Neural Networks",
            "booktitle": "Proceedings of the 34th International Conference on Machine Learning",
            "series": "Proceedings of Machine Learning Research",
            "volume": "70",
            "pages": "2847--2854",
            "year": "2017",
        },
    ),
    Citation(
        "tseran2021",
        "inproceedings",
        {
            "author": "Tseran, Hanna and Mont{\\'u}far, Guido",
            "title": "On the Expected Complexity of Maxout Networks",
            "booktitle": "Advances in Neural Information Processing Systems",
            "volume": "34",
            "note": "arXiv:2107.00379",
            "year": "2021",
        },
        ("expected", "maxout"),
    ),
    Citation(
        "cai2023",
        "inproceedings",
        {
            "author": "Cai, Junyang and Nguyen, Khai-Nguyen and Shrestha, Nishant and Good, Aidan"
            " and Tu, Ruisen and Yu, Xin and Zhe, Shandian and Serra, Thiago",
            "title": "Getting Away with More Network Pruning: From Sparsity to Geometry and Linear"
            " Regions",
            "booktitle": "Integration of Constraint Programming, Artificial Intelligence, and"
            " Operations Research (CPAIOR)",
            "note": "arXiv:2301.07966",
            "year": "2023",
        },
        ("sparse",),
    ),
    Citation(
        "xiong2020",
        "inproceedings",
        {
            "author": "Xiong, Huan and Huang, Lei and Yu, Mengyang and Liu, Li and Zhu, Fan and"
            " Shao, Ling",
            "title": "On the Number of Linear Regions of Convolutional Neural Networks",
            "booktitle": "Proceedings of the 37th International Conference on Machine Learning",
            "series": "Proceedings of Machine Learning Research",
            "volume": "119",
            "note": "arXiv:2006.00978",
            "year": "2020",
        },
        ("convolution", "xiong2020-2", "xiong2020-5-upper", "xiong2020-5-lower"),
    ),
    Citation(
        "xiong2024",
        "article",
        {
            "author": "Xiong, Huan and Huang, Lei and Zang, Wenston J. and Zhen, Xiantong and"
            " Xie, Guo-Sen and Gu, Bin and Song, Le",
            "title": "On the Number of Linear Regions of Convolutional Neural Networks With"
            " Piecewise Linear Activations",
            "journal": "IEEE Transactions on Pattern Analysis and Machine Intelligence",
            "volume": "46",
            "number": "7",
            "pages": "5131--5148",
            "year": "2024",
        },
        ("convolution",),
    ),
    Citation(
        "waudby-smith2024",
        "article",
        {
            "author": "Waudby-Smith, Ian and Ramdas, Aaditya",
            "title": "Estimating means of bounded random variables by betting",
            "journal": "Journal of the Royal Statistical Society Series B",
            "volume": "86",
            "number": "1",
            "pages": "1--27",
            "year": "2024",
        },
        ("probe", "approx"),
    ),
    Citation(
        "chakraborty2013",
        "inproceedings",
        {
            "author": "Chakraborty, Supratik and Meel, Kuldeep S. and Vardi, Moshe Y.",
            "title": "A Scalable Approximate Model Counter",
            "booktitle": "Principles and Practice of Constraint Programming (CP)",
            "pages": "200--216",
            "year": "2013",
        },
        ("approx",),
    ),
)


def find(name: str | None = None) -> list[Citation]:
    """Return the entries of a name: a key, ``tool``, a method, a theorem; all without one.

    Raises
    ------
    OptionError
        If nothing goes by that name.
    """
    everything = [TOOL, *PAPERS]
    if name is None:
        return everything
    names = {name.lower(), _paper_of(name.lower())}
    found = [c for c in everything if names & {c.key, *c.topics}]
    if not found:
        known = sorted({topic for c in everything for topic in (c.key, *c.topics)})
        raise OptionError(f"nothing to cite by the name {name!r}; there are: {', '.join(known)}")
    return found


def _paper_of(theorem: str) -> str:
    """Return the key of a theorem's paper, the name itself where it is no theorem."""
    from milpcount.bounds.registry import THEOREMS

    return next((row.citation for row in THEOREMS if row.key == theorem), theorem)


def bibtex(name: str | None = None) -> str:
    """Return BibTeX of the entries that `find` gives."""
    return "\n\n".join(citation.bibtex() for citation in find(name))
