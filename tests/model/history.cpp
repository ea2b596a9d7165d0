#include <imgsim/model/history.hpp>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <support/temporary_folder.hpp>

BOOST_AUTO_TEST_SUITE(history)

BOOST_AUTO_TEST_CASE(reads_back_bit_for_bit) {
  const std::vector<imgsim::epoch_record> records{
      {1, 0.1 + 0.2, std::nan(""), 1e-3, 1.0 / 3.0}, {2, 1e-300, 5e-324, 1e-7, 0.0}, {3, 1e300, 0.5, 0.25, 1e9}};
  const imgsim_test::temporary_folder folder;
  imgsim::write_history(folder.path() / "history.csv", records);
  const auto back = imgsim::read_history(folder.path() / "history.csv");
  BOOST_REQUIRE(back.size() == records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    BOOST_TEST(back[i].epoch == records[i].epoch);
    BOOST_TEST(back[i].training_loss == records[i].training_loss);
    BOOST_TEST((back[i].validation_loss == records[i].validation_loss ||
                (std::isnan(back[i].validation_loss) && std::isnan(records[i].validation_loss))));
    BOOST_TEST(back[i].learning_rate == records[i].learning_rate);
    BOOST_TEST(back[i].seconds == records[i].seconds);
  }
}

BOOST_AUTO_TEST_CASE(the_text_is_plain_csv) {
  const std::vector<imgsim::epoch_record> records{{1, 0.5, std::nan(""), 0.001, 2.0}, {2, 0.25, 0.75, 0.001, 2.5}};
  BOOST_TEST(imgsim::history_text(records) ==
             "epoch,training_loss,validation_loss,learning_rate,seconds\n1,0.5,,0.001,2\n2,0.25,0.75,0.001,2.5\n");
  BOOST_TEST(imgsim::parse_history("").empty());
}

BOOST_AUTO_TEST_CASE(damage_is_refused_with_its_line) {
  const std::string header = "epoch,training_loss,validation_loss,learning_rate,seconds\n";
  for (const std::string& damaged :
       {std::string("epoch\n"), header + "1,2,3,4\n", header + "1,2,3,4,5,6\n", header + "1,2,3,4,x\n",
        header + "-1,2,3,4,5\n", header + "1,2,3,4,5 \n", header + "\n", header + "1,,3,4,5\n"}) {
    BOOST_TEST_CONTEXT(damaged) {
      BOOST_CHECK_EXCEPTION(std::ignore = imgsim::parse_history(damaged), imgsim::invalid_argument,
                            [](const auto& e) { return std::string(e.what()).find("line ") == 0; });
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
